import { messageOf } from "../../shared/errors.js";
import { commandLine } from "./child.js";
import { type GeneratorRequest, type WarmGenerator, warmUpGenerator } from "./generator-process.js";
import { coreOf, externalTargetOf, type PlannedTrial, planUnder, warmUpSeconds } from "./plan.js";
import type { SweepPlan, TrialResult } from "./result.js";
import { accountingBetween, type ServerProcess, startServerProcess } from "./server-process.js";

/** "fast" or "slow": what the slow requests do to the fast ones shows only when these are told apart. */
const ANSWERS_IN_KINDS = /^\/mixed(\?|$)/;

/**
 * Runs one trial: a fresh server, a warm-up that is not counted, a reading, the measured window, a reading. A server that is not ours is
 * taken as it stands, and not read.
 * What goes wrong is the trial's result, except that it rejects when `signal` aborts: then there is no result.
 * `serverScript` is for cores that are not loopool's own.
 */
export async function runTrial(
  planned: PlannedTrial,
  whole: SweepPlan,
  iterationsPerMicro: number,
  trialTimeoutMs: number,
  signal: AbortSignal,
  serverScript: ServerScript = serveScript,
): Promise<TrialResult> {
  const startedAt = new Date().toISOString();
  const plan = planUnder(whole, planned);
  const timeout = AbortSignal.timeout(trialTimeoutMs);
  const limited = AbortSignal.any([signal, timeout]);
  let server: ServerProcess | undefined;
  let generator: WarmGenerator | undefined;
  try {
    const target = externalTargetOf(plan, planned.core);
    if (target === undefined) {
      const script = serverScript(coreOf(plan, planned.core), plan, iterationsPerMicro);
      server = await startServerProcess(script, plan.pinning.server, limited);
    }
    const url = target?.url ?? `${server?.url}${plan.path}`;
    generator = await warmUpGenerator(requestOf(planned, plan, url), plan.pinning.generator, limited);
    const before = await server?.readStats();
    const run = await generator.measure();
    const after = await server?.readStats();
    const accounting = before === undefined || after === undefined ? null : accountingBetween(before, after);
    const said = server?.lastWords() ?? "";
    const words = said === "" ? {} : { serverErrors: said };
    return { ...planned, startedAt, run, server: accounting, failure: null, ...words };
  } catch (error) {
    if (signal.aborted) throw error;
    const failure = timeout.aborted
      ? `it took longer than ${trialTimeoutMs / 1000} s: allow more with --trial-timeout, or send fewer --requests`
      : messageOf(error);
    return { ...planned, startedAt, run: null, server: null, failure };
  } finally {
    // The generator first: it may still wait to be told to go on, and hold connections that the server would drain.
    await generator?.stop();
    await server?.stop();
  }
}

function requestOf({ concurrency, rate }: PlannedTrial, plan: SweepPlan, url: string): GeneratorRequest {
  const { keepAlive, path, driver = null, threads = 1 } = plan;
  // What another generator's bodies began with is not told.
  const byFirstByte = driver === null && ANSWERS_IN_KINDS.test(path);
  return { url, ...windowOf(plan, concurrency, rate), concurrency, keepAlive, rate, byFirstByte, threads, driver };
}

/** Window and warm-up, which by time is half as long. */
function windowOf(
  { requests, warmupRequests, seconds, openLoop }: SweepPlan,
  concurrency: number,
  rate: number | null,
): Pick<GeneratorRequest, "requests" | "seconds" | "warmup"> {
  if (rate !== null) {
    const scheduled = Math.max(concurrency, Math.round(rate * openLoop!.seconds));
    // As many as usual would take long where the rate is low.
    return { requests: scheduled, seconds: null, warmup: String(Math.min(warmupRequests, scheduled >> 1)) };
  }
  if (seconds === undefined) return { requests, seconds: null, warmup: String(warmupRequests) };
  return { requests: null, seconds, warmup: `${warmUpSeconds(seconds)}s` };
}

/** How the server of one core of a plan is started: a script and its arguments, without its address. */
export type ServerScript = (core: string, plan: SweepPlan, iterationsPerMicro: number | null) => readonly string[];

/** `loopool serve`. */
export const serveScript: ServerScript = (core, plan, iterationsPerMicro) => [
  commandLine,
  "serve",
  "--config=off",
  `--mode=${core}`,
  `--workers=${plan.workers}`,
  ...(plan.adapter === undefined ? [] : [`--adapter=${plan.adapter}`]),
  ...(plan.handlers === null ? [] : [`--handlers=${plan.handlers}`]),
  ...(iterationsPerMicro === null ? [] : [`--iterations-per-us=${iterationsPerMicro}`]),
];
