import type { Load } from "../sweep/plan.js";
import type { Environment, ServerCpus, TrialResult } from "../sweep/result.js";

/** The file that a break-even leaves: everything its report needs. */
export interface BreakEvenResult {
  readonly schema: "loopool-break-even/1";
  /** Part of the file name. */
  readonly name: string;
  /** The command that makes this result again, as a user would type it. */
  readonly command: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** null while trials are missing: it was interrupted and can be resumed. */
  readonly finishedAt: string | null;
  readonly plan: BreakEvenPlan;
  readonly environment: Environment;
  /** Finished trials, in the order they ran. */
  readonly trials: readonly BreakEvenTrial[];
}

/** What was asked for; with the seed it gives the order of all trials. */
export interface BreakEvenPlan {
  /** Cores of ours; the first one is the base of every ratio. */
  readonly cores: readonly string[];
  readonly handler: HandlerKind;
  /** CPU that a request burns, µs, ascending: those of the first, coarse pass. */
  readonly costsMicros: readonly number[];
  readonly concurrencies: readonly number[];
  /** Requests per second of open loops beside the closed ones; null: none. */
  readonly rate: number | null;
  /** Length of an open loop's window. */
  readonly rateSeconds: number;
  readonly serverCpus: readonly ServerCpus[];
  readonly coarseBlocks: number;
  readonly refinedBlocks: number;
  /** Costs between two of the coarse pass, around a crossing. */
  readonly refinedCosts: number;
  /** Length of a closed loop's window, about: a trial sends what one CPU serves in that time, but one request per connection at least. */
  readonly windowSeconds: number;
  readonly adapter: string;
  readonly seed: number;
  /** The coarse pass, and where there was something to refine a second one. */
  readonly passes: readonly Pass[];
}

/** What a request does beside burning CPU. */
export interface HandlerKind {
  /** Waits so long before it burns. */
  readonly waitMs: number;
  /** Only this share of the requests burns, the others answer at once; null: all do. */
  readonly slowShare: number | null;
}

export interface Pass {
  readonly kind: "coarse" | "refined";
  /** Each block holds every core at every point once. */
  readonly blocks: number;
  readonly points: readonly CostPoint[];
}

/** One cost under one load, on so many CPUs. */
export interface CostPoint extends Load {
  /** CPUs of the server. */
  readonly serverCpus: number;
  readonly costMicros: number;
}

export interface BreakEvenTrial extends TrialResult, CostPoint {
  /** Index of its pass. Blocks count from 0 in each. */
  readonly pass: number;
  readonly rate: number | null;
  readonly serverCpus: number;
}
