import { biweight } from "./biweight.js";
import type { Interval } from "./interval.js";
import { median } from "./median.js";
import { twoSidedNormal, zBeyond } from "./normal.js";
import type { Random } from "./random.js";
import { type PassOfRatios, valuesByPosition } from "./ratio-curve.js";

/** Where a ratio passes 1. */
export interface Crossing {
  readonly position: number;
  /** An end that equals an end of the range looked at may lie beyond it. */
  readonly interval: Interval;
}

/** Coverage of the interval. */
const level = 0.95;
/** So many that the ends, which lie near the 1st and the 99th of 100, move little from one seed to another. */
const RESAMPLES = 2000;

/**
 * Where a ratio passes 1 between the positions `from` and `to`, which the caller knows to lie on either side, or before and behind where it
 * does. At each position the location of the log-ratios of all blocks (Tukey's biweight, as every ratio of a report), between neighbours a
 * straight line. The crossing is `from` plus the length of the range on which that line lies on the side of `from`: with one crossing that is
 * the crossing, and where noise makes three of one it lies between them, as neither the first nor the last does.
 *
 * The interval is the bootstrap's: whole blocks are drawn anew, with repetition, as many in each pass as it had, and the percentiles of the
 * crossings of 2,000 such draws are taken. A resample of n blocks is less scattered than new ones would be, so the percentiles lie farther out
 * (Hesterberg's expansion), by the factor √(n ÷ (n − 1)) for the pass of the most blocks; it is chosen by simulation (the test beside
 * it). No monotone curve is fitted: the bootstrap is inconsistent for those.
 *
 * Source: T. Hesterberg, "What teachers should know about the bootstrap", The American Statistician 69(4), 2015; B. Sen, M. Banerjee,
 * M. Woodroofe, "Inconsistency of bootstrap: the Grenander estimator", Annals of Statistics 38(4), 2010.
 */
export function crossingBetween(
  passes: readonly PassOfRatios[],
  { from, to, rises }: { readonly from: number; readonly to: number; readonly rises: boolean },
  random: Random,
  resamples = RESAMPLES,
): Crossing | null {
  const inside = passes.map((pass) => within(pass, from, to)).filter(({ positions }) => positions.length > 0);
  const position = crossingOf(inside, from, to, rises);
  if (position === null) return null;
  const drawn: number[] = [];
  for (let draw = 0; draw < resamples; draw++) {
    const found = crossingOf(
      inside.map((pass) => resampled(pass, random)),
      from,
      to,
      rises,
    );
    if (found !== null) drawn.push(found);
  }
  drawn.sort((a, b) => a - b);
  const most = Math.max(2, ...inside.map(({ logRatios }) => logRatios.length));
  const tail = twoSidedNormal(zBeyond(1 - level) * Math.sqrt(most / (most - 1))) / 2;
  const outside = Math.floor(tail * drawn.length);
  return {
    position,
    interval: {
      low: Math.min(position, drawn[outside] ?? from),
      high: Math.max(position, drawn[drawn.length - 1 - outside] ?? to),
      level,
    },
  };
}

/** What a pass has between two positions, both included. */
function within({ positions, logRatios }: PassOfRatios, from: number, to: number): PassOfRatios {
  const indices = positions.flatMap((position, index) => (position >= from && position <= to ? [index] : []));
  return {
    positions: indices.map((index) => positions[index]!),
    logRatios: logRatios.map((block) => indices.map((index) => block[index]!)),
  };
}

function resampled({ positions, logRatios }: PassOfRatios, random: Random): PassOfRatios {
  return { positions, logRatios: logRatios.map(() => logRatios[Math.floor(random() * logRatios.length)]!) };
}

/** null without two positions that have a value. */
function crossingOf(passes: readonly PassOfRatios[], from: number, to: number, rises: boolean): number | null {
  const points: { position: number; value: number }[] = [];
  for (const [position, values] of valuesByPosition(passes)) {
    if (values.length > 0) points.push({ position, value: (rises ? 1 : -1) * locationOf(values) });
  }
  if (points.length < 2) return null;
  // Before the first point and behind the last one nothing was measured: the side of the nearest one.
  let before = points[0]!.value < 0 ? points[0]!.position - from : 0;
  for (const [index, { position, value }] of points.entries()) {
    const next = points[index + 1] ?? { position: to, value };
    before += (next.position - position) * shareBelow(value, next.value);
  }
  return from + before;
}

/** The share of a straight line from one value to another that lies below 0. */
function shareBelow(first: number, last: number): number {
  if (first < 0 === last < 0) return first < 0 ? 1 : 0;
  const share = first / (first - last);
  return first < 0 ? share : 1 - share;
}

/** As the ratio of a report has it; where that has no spread to work with, in a resample of few blocks, the median. */
function locationOf(values: readonly number[]): number {
  return biweight(values)?.location ?? median(values);
}
