import type { Difference } from "../statistics/difference.js";
import type { Estimate } from "./cell.js";

/** Without an interval two ratios agree that differ by no more than this. */
const CLOSE = 0.01;

/** Marks a ratio with which the medians beside it do not agree. */
export const apartMark = "†";

/** What the mark means, and why it can be. */
export const apartNote = `A ratio is estimated over blocks, in which the cores ran next to each other, and not from the two medians of its row. ${apartMark} marks one where the two medians have a ratio outside its interval: the machine was not alike for both over all trials, or a metric has two modes.`;

/** Do the medians of two cells have a ratio that the interval of their ratio holds? */
export function mediansAgree(base: Estimate, other: Estimate, { ratio, interval }: Difference): boolean {
  const ofMedians = other.value / base.value;
  if (interval === null) return Math.abs(Math.log(ofMedians / ratio)) <= CLOSE;
  // Equal whole milliseconds have an interval of no width: the rounding of a logarithm is no difference.
  const rounding = 1e-9;
  return ofMedians >= interval.low * (1 - rounding) && ofMedians <= interval.high * (1 + rounding);
}
