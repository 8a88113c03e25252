import { alpha } from "../statistics/difference.js";
import { fisherGreater } from "../statistics/fisher.js";
import { holm } from "../statistics/holm.js";
import type { Cell } from "./cell.js";
import { counted, significant, whole } from "./format.js";

/** Trials of one core, over all its cells, that lie far from the others of their cell. */
export interface DisturbedCount {
  readonly core: string;
  readonly disturbed: number;
  readonly trials: number;
  /** Chance of so many if it were disturbed as often as the other cores (Fisher's exact test), corrected by Holm over the cores; 1 for one core alone. */
  readonly p: number;
}

/**
 * How often each core was disturbed. A robust ratio hardly sees these trials; where one core has more of them than chance explains, they are not
 * the machine's but its own, and the ratio says too little.
 */
export function disturbedOf(cores: readonly string[], cells: readonly Cell[]): readonly DisturbedCount[] {
  const counts = cores.map((core) => {
    const own = cells.filter((cell) => cell.core === core);
    return {
      core,
      hits: own.reduce((sum, { verdict: { warnings } }) => {
        const found = warnings.find(({ code }) => code === "disturbed");
        return sum + (found?.code === "disturbed" ? found.trials : 0);
      }, 0),
      trials: own.reduce((sum, { trials }) => sum + trials.length, 0),
    };
  });
  const p = holm(
    counts.map((one) => {
      const others = counts.filter(({ core }) => core !== one.core);
      return fisherGreater(one, {
        hits: others.reduce((sum, { hits }) => sum + hits, 0),
        trials: others.reduce((sum, { trials }) => sum + trials, 0),
      });
    }),
  );
  return counts.map(({ core, hits, trials }, index) => ({ core, disturbed: hits, trials, p: p[index]! }));
}

/** Cores that were disturbed more often than chance explains: what a reader must know first. Each a sentence. */
export function oftenDisturbed(counts: readonly DisturbedCount[]): readonly string[] {
  return counts
    .filter(({ p }) => p <= alpha)
    .map(({ core, disturbed, trials, p }) => {
      const others = counts.filter((other) => other.core !== core);
      const sum = (of: (count: DisturbedCount) => number): number =>
        others.reduce((total, other) => total + of(other), 0);
      return (
        `The ${core} has more trials far from the rest than chance explains: ${whole(disturbed)} of ${whole(trials)}, all others ` +
        `${whole(sum((count) => count.disturbed))} of ${whole(sum((count) => count.trials))} (Fisher's exact test, p = ${significant(p)} after Holm). ` +
        "The ratios hardly count such trials, so look at them before you believe the ratios."
      );
    });
}

/** How many trials were disturbed, in one sentence; null where none was. */
export function disturbedText(counts: readonly DisturbedCount[]): string | null {
  if (counts.every(({ disturbed }) => disturbed === 0)) return null;
  const each = counts.map(({ core, disturbed, trials }) => `${core} ${whole(disturbed)} of ${whole(trials)}`);
  const all = counts.reduce((sum, { disturbed }) => sum + disturbed, 0);
  const what = all === 1 ? "lies far from the others of its cell" : "lie far from the others of their cells";
  return `${counted(all, "trial")} ${what}: ${each.join(", ")}; none was dropped or run again.`;
}
