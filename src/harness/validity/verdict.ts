import type { Environment, Pinning, TrialResult } from "../sweep/result.js";
import { audit, cautions } from "./accounting.js";
import type { Reason, Verdict } from "./diagnostics.js";
import { disturbed } from "./outliers.js";
import { pacing } from "./pacing.js";
import { type RanTrial, saturation } from "./saturation.js";
import { shortTail } from "./short-tail.js";

/** What a verdict needs to know besides the trials. */
export interface VerdictContext {
  /** Trials planned for the cell. */
  readonly plannedTrials: number;
  readonly pinning: Pinning;
  readonly environment: Pick<Environment, "cores">;
  /** Whether the server is ours, so that it must have left an account of its own. */
  readonly ours: boolean;
}

/** The trials that left their accounts: the generator's, and of a server of ours its own. */
export function ranTrials(trials: readonly TrialResult[], ours: boolean): readonly (TrialResult & RanTrial)[] {
  return trials.flatMap(({ run, ...trial }) =>
    run === null || (ours && trial.server === null) ? [] : [{ ...trial, run }],
  );
}

/**
 * May the trials of one cell (one core under one load) be ranked? Only with no reason against it. A failed trial makes its cell
 * invalid: leaving out the trials that went wrong would rank what survived.
 */
export function verdictOf(trials: readonly TrialResult[], context: VerdictContext): Verdict {
  const ran = ranTrials(trials, context.ours);
  const reasons: Reason[] = [];
  if (trials.length < context.plannedTrials) {
    reasons.push({ code: "trials-missing", planned: context.plannedTrials, finished: trials.length });
  }
  if (ran.length < trials.length) {
    const failed = trials.find((trial) => !ran.some(({ block }) => block === trial.block));
    const failure = failed?.failure ?? "one of its two accounts is missing";
    reasons.push({ code: "trial-failed", trials: trials.length - ran.length, failure });
  }
  const isOpen = trials.some(({ rate }) => rate !== null);
  const limit = isOpen ? pacing(ran) : saturation(ran, context.pinning, context.environment);
  reasons.push(...audit(ran), ...limit.reasons);
  return {
    valid: reasons.length === 0,
    lowerBound: reasons.length > 0 && reasons.every(({ code }) => code === "generator-limited"),
    reasons,
    // What did not keep up has no 99th percentile to come near to.
    warnings: [
      ...limit.warnings,
      ...cautions(ran),
      ...disturbed(ran),
      ...(limit.warnings.some(({ code }) => code === "overloaded") ? [] : shortTail(ran)),
    ],
  };
}
