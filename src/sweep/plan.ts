import { type Random, seededRandom } from "../statistics/random.js";
import type { SweepPlan, TrialResult } from "./result.js";

/** One trial to run. */
export interface PlannedTrial {
  readonly core: string;
  readonly concurrency: number;
  /** From 0. */
  readonly block: number;
}

/** What is measured at each concurrency: the cores, and with A/A one of them again. */
export function subjectsOf({ cores, twin }: SweepPlan): readonly string[] {
  return twin === undefined ? cores : [...cores, twin.name];
}

/** The core that a planned trial runs. */
export function coreOf({ twin }: SweepPlan, subject: string): string {
  return subject === twin?.name ? twin.of : subject;
}

/**
 * All trials in the order they run: blocks that hold every cell once, so that what drifts over the sweep hits all alike.
 * In a block the concurrencies stand in random order, and for each the cores run directly after one another, so that a pair is
 * minutes younger than the drift. Every second block takes the cores in the reverse of the order before (ABBA), so that
 * none is always the one that comes first. The seed decides everything; a plan with more trials begins with the same ones.
 */
export function planTrials(plan: SweepPlan): readonly PlannedTrial[] {
  const { concurrencies, trials, seed } = plan;
  const cores = subjectsOf(plan);
  const random = seededRandom(seed);
  const lastOrder = new Map<number, readonly string[]>();
  const planned: PlannedTrial[] = [];
  for (let block = 0; block < trials; block++) {
    for (const concurrency of shuffled(concurrencies, random)) {
      const before = lastOrder.get(concurrency);
      const order = block % 2 === 1 && before !== undefined ? [...before].reverse() : shuffled(cores, random);
      lastOrder.set(concurrency, order);
      for (const core of order) planned.push({ core, concurrency, block });
    }
  }
  return planned;
}

/** The trials of a plan that have no result yet, in order. */
export function missingTrials(plan: SweepPlan, finished: readonly TrialResult[]): readonly PlannedTrial[] {
  const key = ({ core, concurrency, block }: PlannedTrial): string => `${block}/${concurrency}/${core}`;
  const done = new Set(finished.map(key));
  return planTrials(plan).filter((trial) => !done.has(key(trial)));
}

/** A new order, all equally likely (Fisher and Yates; Durstenfeld, CACM 7(7), 1964). */
function shuffled<T>(items: readonly T[], random: Random): readonly T[] {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
