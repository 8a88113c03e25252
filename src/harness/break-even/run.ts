import { LoopoolError } from "../../shared/errors.js";
import type { Checked } from "../sweep/check.js";
import { describeEnvironment } from "../sweep/environment.js";
import type { TrialResult } from "../sweep/result.js";
import { writeResult } from "../sweep/store.js";
import { type SweepState, stateSince } from "../sweep/sweep.js";
import { runTrial } from "../sweep/trial.js";
import { missingPoints, type PlannedPoint, planPoints, sweepPlanOf } from "./plan.js";
import { refinedPass } from "./refine.js";
import type { BreakEvenPlan, BreakEvenResult } from "./result.js";

/** Who wants to know what runs. */
export interface PointProgress {
  trialStarts(trial: PlannedPoint, state: SweepState): void;
  /** It is in the file. */
  trialEnded(trial: PlannedPoint & TrialResult, state: SweepState): void;
}

/** What a result begins with. */
export interface NewBreakEven {
  readonly name: string;
  readonly command: string;
  readonly plan: BreakEvenPlan;
  /** Folder of loopool's package.json. */
  readonly packageFolder: string;
}

/** A result without a trial, of a plan whose servers were checked. */
export function beginBreakEven(
  { name, command, plan, packageFolder }: NewBreakEven,
  { facts }: Pick<Checked, "facts">,
): BreakEvenResult {
  return {
    schema: "loopool-break-even/1",
    name,
    command,
    startedAt: new Date().toISOString(),
    finishedAt: null,
    plan,
    environment: describeEnvironment(packageFolder, facts),
    trials: [],
  };
}

/**
 * Runs what a result still lacks, the refined pass included, and writes the file after each trial. Resolves with the finished result; rejects
 * when `signal` aborts, and with a LoopoolError when the first block has no success of a core, with every finished trial in the file.
 */
export async function continueBreakEven(
  file: string,
  begun: BreakEvenResult,
  trialTimeoutMs: number,
  progress: PointProgress,
  signal: AbortSignal,
): Promise<BreakEvenResult> {
  let result = begun;
  const stateOf = stateSince(begun.trials.length);
  const state = () => stateOf(result.trials.length, planPoints(result.plan).length);
  for (;;) {
    const [next] = missingPoints(result.plan, result.trials);
    if (next === undefined) return result;
    signal.throwIfAborted();
    progress.trialStarts(next, state());
    const { iterationsPerMicro } = result.environment;
    const { blocks } = result.plan.passes[next.pass]!;
    const ran = await runTrial(
      next,
      sweepPlanOf(result.plan, next, blocks),
      iterationsPerMicro,
      trialTimeoutMs,
      signal,
    );
    const trial = { ...ran, ...next };
    result = { ...result, trials: [...result.trials, trial] };
    // What comes next is in the file with the trial that decided it, so that a resumed run goes on in the same way.
    if (missingPoints(result.plan, result.trials).length === 0) result = withNextPass(result);
    await writeResult(file, result);
    progress.trialEnded(trial, state());
    checkFirstBlock(result);
  }
}

function withNextPass(result: BreakEvenResult): BreakEvenResult {
  const { plan } = result;
  const next = plan.passes.length > 1 || plan.refinedBlocks === 0 ? null : refinedPass(result);
  return next === null
    ? { ...result, finishedAt: new Date().toISOString() }
    : { ...result, plan: { ...plan, passes: [...plan.passes, next] } };
}

/** Where a core served nothing in a whole block, more blocks would find the same. */
function checkFirstBlock({ plan, trials }: BreakEvenResult): void {
  const perBlock = plan.passes[0]!.points.length * plan.cores.length;
  if (trials.length !== perBlock) return;
  for (const core of plan.cores) {
    const own = trials.filter((trial) => trial.core === core);
    if (own.some(({ run }) => run !== null && run.completed > 0)) continue;
    const why = own.find(({ failure }) => failure !== null)?.failure ?? "every request failed";
    throw new LoopoolError(
      "BLOCK_FAILED",
      `in the first block no request to the ${core} succeeded (${why}); it was stopped there`,
    );
  }
}
