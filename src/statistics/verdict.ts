import type { Environment, Pinning, TrialResult } from "../sweep/result.js";
import { audit } from "./accounts.js";
import type { Reason, Verdict } from "./findings.js";
import { disturbed } from "./outliers.js";
import { type RanTrial, saturation } from "./saturation.js";

/** What a verdict needs to know besides the trials. */
export interface VerdictContext {
  /** Trials planned for the cell. */
  readonly plannedTrials: number;
  readonly pinning: Pinning;
  readonly environment: Pick<Environment, "cores">;
}

/** The trials that left both accounts, the generator's and the server's. */
export function ranTrials(trials: readonly TrialResult[]): readonly (TrialResult & RanTrial)[] {
  return trials.flatMap(({ run, server, ...trial }) =>
    run === null || server === null ? [] : [{ ...trial, run, server }],
  );
}

/**
 * May the trials of one cell (one core at one concurrency) be ranked? Only with no reason against it. A failed trial makes its cell
 * invalid: leaving out the trials that went wrong would rank what survived.
 */
export function verdictOf(trials: readonly TrialResult[], context: VerdictContext): Verdict {
  const ran = ranTrials(trials);
  const reasons: Reason[] = [];
  if (trials.length < context.plannedTrials) {
    reasons.push({ code: "trials-missing", planned: context.plannedTrials, finished: trials.length });
  }
  if (ran.length < trials.length) {
    const failed = trials.find((trial) => trial.run === null || trial.server === null);
    const failure = failed?.failure ?? "one of its two accounts is missing";
    reasons.push({ code: "trial-failed", trials: trials.length - ran.length, failure });
  }
  const limit = saturation(ran, context.pinning, context.environment);
  reasons.push(...audit(ran), ...limit.reasons);
  return {
    valid: reasons.length === 0,
    lowerBound: reasons.length > 0 && reasons.every(({ code }) => code === "generator-limited"),
    reasons,
    warnings: [...limit.warnings, ...disturbed(ran)],
  };
}
