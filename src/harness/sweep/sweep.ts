import { LoopoolError } from "../../shared/errors.js";
import { errorClasses } from "../load/result/run-result.js";
import type { Checked } from "./check.js";
import { describeEnvironment } from "./environment.js";
import { missingTrials, type PlannedTrial, planTrials } from "./plan.js";
import type { Stop, SweepPlan, SweepResult, TrialResult } from "./result.js";
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

/** How far a run is that begins now with so many trials in its file; of trials `finished` and `planned`. */
export function stateSince(before: number): (finished: number, planned: number) => SweepState {
  const startMs = performance.now();
  return (finished, planned) => {
    const ran = finished - before;
    const remainingMs = ran === 0 ? null : ((performance.now() - startMs) / ran) * (planned - finished);
    return { finished, planned, remainingMs };
  };
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

/** A result without a trial, of a plan whose servers were checked. */
export function beginSweep(
  { name, command, plan, packageFolder }: NewSweep,
  { facts, stateDifferences = [] }: Pick<Checked, "facts"> & Partial<Pick<Checked, "stateDifferences">>,
): SweepResult {
  const startedAt = new Date().toISOString();
  // Servers copy this process's environment, and take what is the default where it says nothing.
  const nodeEnv = plan.handlers === null ? {} : { nodeEnv: process.env["NODE_ENV"] ?? "production" };
  const environment = { ...describeEnvironment(packageFolder, facts), ...nodeEnv };
  const found = stateDifferences.length === 0 ? {} : { stateDifferences };
  return {
    schema: "loopool-sweep/3",
    name,
    command,
    startedAt,
    finishedAt: null,
    plan,
    environment,
    ...found,
    trials: [],
  };
}

/** What is to be done when every trial of the plan has run: a plan with more of them, or why there are to be no more. */
export type NextBlocks = (result: SweepResult, elapsedMs: number) => SweepPlan | Stop | null;

/**
 * Runs what a result still lacks and writes the file after each trial. Resolves with the finished result; rejects when
 * `signal` aborts, and with a LoopoolError when a core served nothing
 * in a whole block, with every finished trial in the file. `nextBlocks` may add to the plan; null ends the sweep as it is.
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
  const stateOf = stateSince(begun.trials.length);
  const state = () => stateOf(result.trials.length, planTrials(result.plan).length);
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
    checkBlock(result, begun.trials.length);
  }
}

/**
 * At the end of a block: rejects a sweep in which a core served nothing in the whole of it, under no load. More blocks would find the same.
 * What ran before the first `known` trials of the result is not looked at, so that a resumed sweep has a block of its own.
 */
function checkBlock({ plan, trials }: SweepResult, known: number): void {
  const last = trials.at(-1)!;
  const sameBlock = ({ block, rate }: PlannedTrial): boolean =>
    block === last.block && (rate === null) === (last.rate === null);
  if (missingTrials(plan, trials).some(sameBlock)) return;
  const ran = trials.slice(known).filter(sameBlock);
  for (const target of new Set(ran.map(({ core }) => core))) {
    const own = ran.filter(({ core }) => core === target);
    if (own.some(({ run }) => run !== null && run.completed > 0)) continue;
    const loads = own.map((trial) => `${trial.concurrency}: ${failureText(trial)}`);
    throw new LoopoolError(
      "BLOCK_FAILED",
      `block ${last.block + 1}: no request to the ${target} succeeded at concurrency ${loads.join("; ")}; the sweep was stopped there`,
    );
  }
}

/** Why a trial has no success: its own failure, or the errors and statuses of its requests. */
function failureText({ run, failure, serverErrors }: TrialResult): string {
  if (run === null) return failure ?? "no result";
  const classes = errorClasses.filter((name) => run.errors[name] > 0).map((name) => `${name} ${run.errors[name]}`);
  const statuses = Object.entries(run.statusCounts ?? {}).map(([status, count]) => `status ${status} ${count} times`);
  return [...classes, ...statuses, ...(serverErrors === undefined ? [] : [`the server said: ${serverErrors}`])].join(
    ", ",
  );
}

function ended(result: SweepResult, next: SweepPlan | Stop | null): SweepResult {
  if (next !== null && "cores" in next) return { ...result, plan: next };
  const finished = { ...result, finishedAt: new Date().toISOString() };
  return next === null ? finished : { ...finished, stopped: next };
}
