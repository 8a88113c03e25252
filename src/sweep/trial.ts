import { messageOf } from "../shared/errors.js";
import { commandLine } from "./child.js";
import { type WarmGenerator, warmUpGenerator } from "./generator-process.js";
import { coreOf, type PlannedTrial } from "./plan.js";
import type { SweepPlan, TrialResult } from "./result.js";
import { accountBetween, type ServerProcess, startServerProcess } from "./server-process.js";

/** "fast" or "slow": what the slow requests do to the fast ones shows only when these are told apart. */
const ANSWERS_IN_KINDS = /^\/mixed(\?|$)/;

/**
 * Runs one trial: a fresh server, a warm-up that is not counted, a reading, the measured window, a reading.
 * What goes wrong is the trial's result, except that it rejects when `signal` aborts: then there is no result.
 * `serverScript` is for cores that are not loopool's own.
 */
export async function runTrial(
  planned: PlannedTrial,
  plan: SweepPlan,
  iterationsPerMicro: number,
  trialTimeoutMs: number,
  signal: AbortSignal,
  serverScript: ServerScript = serveScript,
): Promise<TrialResult> {
  const startedAt = new Date().toISOString();
  const timeout = AbortSignal.timeout(trialTimeoutMs);
  const limited = AbortSignal.any([signal, timeout]);
  let server: ServerProcess | undefined;
  let generator: WarmGenerator | undefined;
  try {
    server = await startServerProcess(
      serverScript(coreOf(plan, planned.core), plan, iterationsPerMicro),
      plan.pinning.server,
      limited,
    );
    const request = {
      url: `${server.url}${plan.path}`,
      requests: plan.requests,
      warmupRequests: plan.warmupRequests,
      concurrency: planned.concurrency,
      keepAlive: plan.keepAlive,
      byFirstByte: ANSWERS_IN_KINDS.test(plan.path),
    };
    generator = await warmUpGenerator(request, plan.pinning.generator, limited);
    const before = await server.readStats();
    const run = await generator.measure();
    const after = await server.readStats();
    return { ...planned, startedAt, run, server: accountBetween(before, after), failure: null };
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

/** How the server of one core of a plan is started: a script and its arguments, without its address. */
export type ServerScript = (core: string, plan: SweepPlan, iterationsPerMicro: number | null) => readonly string[];

/** `loopool serve`. */
export const serveScript: ServerScript = (core, plan, iterationsPerMicro) => [
  commandLine,
  "serve",
  "--config=off",
  `--mode=${core}`,
  `--workers=${plan.workers}`,
  ...(plan.handlers === null ? [] : [`--handlers=${plan.handlers}`]),
  ...(iterationsPerMicro === null ? [] : [`--iterations-per-us=${iterationsPerMicro}`]),
];
