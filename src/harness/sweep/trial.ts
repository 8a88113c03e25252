import { messageOf } from "../../shared/errors.js";
import { commandLine } from "./child.js";
import { type CommandServer, startCommandServer } from "./command-server.js";
import { type GeneratorRequest, type WarmGenerator, warmUpGenerator } from "./generator-process.js";
import { commandOf, coreOf, externalTargetOf, type PlannedTrial, planUnder, warmUpSeconds } from "./plan.js";
import { urlOf } from "./plan-options.js";
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
  let started: CommandServer | undefined;
  let generator: WarmGenerator | undefined;
  try {
    const target = externalTargetOf(plan, planned.core);
    const command = commandOf(plan, planned.core);
    if (command !== undefined) {
      started = await startCommandServer(command.command, plan.pinning.server, limited);
    } else if (target === undefined) {
      const script = serverScript(coreOf(plan, planned.core), plan, iterationsPerMicro);
      server = await startServerProcess(script, plan.pinning.server, limited);
    }
    const url = target?.url ?? urlOf(plan, (started ?? server)!.url);
    generator = await warmUpGenerator(requestOf(planned, plan, url), plan.pinning.generator, limited);
    const before = await server?.readStats();
    const run = await generator.measure();
    const after = await server?.readStats();
    const accounting = before === undefined || after === undefined ? null : accountingBetween(before, after);
    const said = (started ?? server)?.lastWords() ?? "";
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
    await started?.stop();
  }
}

function requestOf({ concurrency, rate, block }: PlannedTrial, plan: SweepPlan, url: string): GeneratorRequest {
  const { keepAlive, path, driver = null, threads = 1, traffic = null, variableLength = false, openLoop } = plan;
  // What another generator's bodies began with is not told.
  const byFirstByte = driver === null && ANSWERS_IN_KINDS.test(path);
  return {
    url,
    ...windowOf(plan, concurrency, rate),
    concurrency,
    keepAlive,
    rate,
    byFirstByte,
    threads,
    driver,
    arrivals: openLoop?.arrivals ?? "even",
    rampSeconds: openLoop?.rampSeconds ?? 0,
    // The same for every core in a block, and another in each block.
    seed: (plan.seed + Math.imul(block + 1, 0x9e3779b1)) >>> 0,
    traffic,
    variableLength,
    tls: url.startsWith("https:") ? (plan.tls ?? null) : null,
  };
}

/** Window and warm-up, which by time is half as long. */
function windowOf(
  { requests, warmupRequests, seconds, openLoop }: SweepPlan,
  concurrency: number,
  rate: number | null,
): Pick<GeneratorRequest, "requests" | "seconds" | "warmup"> {
  if (rate !== null) {
    const full = openLoop!.seconds - (openLoop!.rampSeconds ?? 0) / 2;
    const scheduled = Math.max(concurrency, Math.round(rate * full));
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
  ...(plan.appStyle === undefined ? [] : [`--app-style=${plan.appStyle}`]),
  ...(iterationsPerMicro === null ? [] : [`--iterations-per-us=${iterationsPerMicro}`]),
];
