import { LoopoolError, messageOf } from "../shared/errors.js";
import { describeEnvironment, type ServerFacts } from "./environment.js";
import { missingTrials, type PlannedTrial, planTrials, targetOf } from "./plan.js";
import type { Stop, SweepPlan, SweepResult, Target, TrialResult } from "./result.js";
import { causeOf, type ServerProcess, startServerProcess } from "./server-process.js";
import { writeResult } from "./store.js";
import { runTrial, type ServerScript, serveScript } from "./trial.js";

/** How far a sweep is. */
export interface SweepState {
  /** Trials in the file. */
  readonly finished: number;
  /** Trials of the whole plan. */
  readonly planned: number;
  /** By the mean of the trials that this process ran; null before the first has ended. */
  readonly remainingMs: number | null;
}

/** Who wants to know what runs. */
export interface SweepProgress {
  trialStarts(trial: PlannedTrial, state: SweepState): void;
  /** It is in the file. */
  trialEnded(trial: TrialResult, state: SweepState): void;
}

/** What a result begins with. */
export interface NewSweep {
  readonly name: string;
  readonly command: string;
  readonly plan: SweepPlan;
  /** Folder of loopool's package.json. */
  readonly packageFolder: string;
}

/**
 * Starts a result: asks one server for what only servers know, and those that are not ours whether they answer. Rejects with a LoopoolError
 * when one does not in time, since no trial would.
 */
export async function beginSweep(
  { name, command, plan, packageFolder }: NewSweep,
  timeoutMs: number,
  signal: AbortSignal,
  serverScript: ServerScript = serveScript,
): Promise<SweepResult> {
  const startedAt = new Date().toISOString();
  const limited = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  for (const target of plan.targets ?? []) await checkTarget(target, limited);
  const facts = await serverFacts(plan, limited, serverScript);
  const environment = describeEnvironment(packageFolder, facts);
  return { schema: "loopool-sweep/2", name, command, startedAt, finishedAt: null, plan, environment, trials: [] };
}

/** What a sweep without a core of ours has instead. */
const NO_SERVER: ServerFacts = { uws: "not used", iterationsPerMicro: 1 };

async function serverFacts(plan: SweepPlan, signal: AbortSignal, serverScript: ServerScript): Promise<ServerFacts> {
  const core = plan.cores.find((name) => targetOf(plan, name) === undefined);
  if (core === undefined) return NO_SERVER;
  let server: ServerProcess | undefined;
  try {
    server = await startServerProcess(serverScript(core, plan, null), plan.pinning.server, signal);
    return await server.readStats();
  } catch (error) {
    throw new LoopoolError("SERVER_NOT_STARTED", `no trial can be run: ${messageOf(error)}`);
  } finally {
    await server?.stop();
  }
}

async function checkTarget({ name, url }: Target, signal: AbortSignal): Promise<void> {
  const remedy = `start it, or correct --target ${name}=URL`;
  let status: number;
  try {
    const response = await fetch(url, { headers: { Connection: "close" }, redirect: "manual", signal });
    await response.body?.cancel();
    ({ status } = response);
  } catch (error) {
    throw new LoopoolError("TARGET_NOT_READY", `${name} does not answer at ${url} (${causeOf(error)}): ${remedy}`);
  }
  if (status < 200 || status > 299) {
    throw new LoopoolError(
      "TARGET_NOT_READY",
      `${name} answers ${url} with status ${status}, and only 2xx counts: ${remedy}`,
    );
  }
}

/** What is to be done when every trial of the plan has run: a plan with more of them, or why there are to be no more. */
export type NextBlocks = (result: SweepResult, elapsedMs: number) => SweepPlan | Stop | null;

/**
 * Runs what a result still lacks and writes the file after each trial. Resolves with the finished result; rejects when
 * `signal` aborts, with every finished trial in the file. `nextBlocks` may add to the plan; null ends the sweep as it is.
 * `serverScript` is for cores that are not loopool's own.
 */
export async function continueSweep(
  file: string,
  begun: SweepResult,
  trialTimeoutMs: number,
  progress: SweepProgress,
  signal: AbortSignal,
  nextBlocks: NextBlocks = () => null,
  serverScript: ServerScript = serveScript,
): Promise<SweepResult> {
  const startMs = performance.now();
  let result = begun;
  const state = (): SweepState => {
    const finished = result.trials.length;
    const planned = planTrials(result.plan).length;
    const ran = finished - begun.trials.length;
    const remainingMs = ran === 0 ? null : ((performance.now() - startMs) / ran) * (planned - finished);
    return { finished, planned, remainingMs };
  };
  for (;;) {
    const [next] = missingTrials(result.plan, result.trials);
    if (next === undefined) return result;
    signal.throwIfAborted();
    progress.trialStarts(next, state());
    const { iterationsPerMicro } = result.environment;
    const trial = await runTrial(next, result.plan, iterationsPerMicro, trialTimeoutMs, signal, serverScript);
    result = { ...result, trials: [...result.trials, trial] };
    // What comes next is in the file with the trial that decided it, so that a resumed sweep goes on in the same way.
    if (missingTrials(result.plan, result.trials).length === 0) {
      result = ended(result, nextBlocks(result, performance.now() - startMs));
    }
    await writeResult(file, result);
    progress.trialEnded(trial, state());
  }
}

function ended(result: SweepResult, next: SweepPlan | Stop | null): SweepResult {
  if (next !== null && "cores" in next) return { ...result, plan: next };
  const finished = { ...result, finishedAt: new Date().toISOString() };
  return next === null ? finished : { ...finished, stopped: next };
}
