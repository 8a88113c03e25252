import { describeEnvironment, type ServerFacts } from "./environment.js";
import { missingTrials, type PlannedTrial, planTrials } from "./plan.js";
import type { SweepPlan, SweepResult, TrialResult } from "./result.js";
import { startServerProcess } from "./server-process.js";
import { writeResult } from "./store.js";
import { runTrial, serverArguments } from "./trial.js";

/** Who wants to know what runs. */
export interface SweepProgress {
  /** `remainingMs` is null until a trial has finished in this run. */
  trialStarts(trial: PlannedTrial, finished: number, planned: number, remainingMs: number | null): void;
  trialEnded(trial: TrialResult, finished: number, planned: number): void;
}

/** A result file that no trial has been written to yet. */
export interface NewSweep {
  readonly name: string;
  readonly command: string;
  readonly plan: SweepPlan;
  /** Folder of loopool's package.json. */
  readonly packageFolder: string;
}

/** Starts a result: asks one server for what only servers know. Rejects when it does not start. */
export async function beginSweep(
  { name, command, plan, packageFolder }: NewSweep,
  signal: AbortSignal,
): Promise<SweepResult> {
  const startedAt = new Date().toISOString();
  const facts = await serverFacts(plan, signal);
  const environment = describeEnvironment(packageFolder, facts);
  return { schema: "loopool-sweep/1", name, command, startedAt, finishedAt: null, plan, environment, trials: [] };
}

async function serverFacts(plan: SweepPlan, signal: AbortSignal): Promise<ServerFacts> {
  const server = await startServerProcess(serverArguments(plan.cores[0]!, plan, null), plan.pinning.server, signal);
  try {
    return await server.readStats();
  } finally {
    await server.stop();
  }
}

/**
 * Runs what a result still lacks and writes the file after each trial. Resolves with the finished result; rejects when
 * `signal` aborts, with every finished trial in the file.
 */
export async function continueSweep(
  file: string,
  begun: SweepResult,
  trialTimeoutMs: number,
  progress: SweepProgress,
  signal: AbortSignal,
): Promise<SweepResult> {
  const { plan, environment } = begun;
  const planned = planTrials(plan).length;
  const missing = missingTrials(plan, begun.trials);
  const startMs = performance.now();
  let result = begun;
  await writeResult(file, result);
  for (const [ended, next] of missing.entries()) {
    signal.throwIfAborted();
    const meanMs = (performance.now() - startMs) / ended;
    progress.trialStarts(next, result.trials.length, planned, ended === 0 ? null : meanMs * (missing.length - ended));
    const trial = await runTrial(next, plan, environment.iterationsPerMicro, trialTimeoutMs, signal);
    const trials = [...result.trials, trial];
    result = { ...result, trials, finishedAt: trials.length === planned ? new Date().toISOString() : null };
    await writeResult(file, result);
    progress.trialEnded(trial, trials.length, planned);
  }
  return result;
}
