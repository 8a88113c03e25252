import { median } from "./median.js";

/** Where values lie and how far that may be off, so that a few values far out say nothing. */
export interface Biweight {
  readonly location: number;
  readonly standardError: number;
  /** Of Student's t, with which (location − truth) ÷ standardError is compared. */
  readonly freedom: number;
}

/** Fewest values of which a median absolute deviation says anything. */
export const fewestValues = 6;

/** Multiples of the median absolute deviation (MAD) beyond which a value has no weight: of the location and of the scale. */
const LOCATION_REACH = 6;
const SCALE_REACH = 9;

/** Below this a spread is the rounding of equal values. */
const NEGLIGIBLE = 1e-12;

/** The share of the n − 1 degrees of freedom of a mean: the weights depend on the values, too. */
const FREEDOM_SHARE = 0.45;

/**
 * The scale is at least this share of the distance to the farther one of the two values that bound the middle half. Where a quarter of the
 * values or more lies apart on one side that is no disturbance but a second mode, and to weigh it with nothing makes false calls.
 */
const GUARD_SHARE = 0.8;

/**
 * Tukey's biweight: the location is a mean in which a value u reaches from the median weighs (1 − u²)², and nothing from |u| = 1 on; the
 * standard error is the biweight scale ÷ √n. Two things are ours, chosen by the simulation of `npm run bench -- power`: the degrees of freedom
 * (half of n − 1 or a little less are usual), and the guard on the scale. null for fewer than `fewestValues`, and where more than half of the
 * values are equal, so that their MAD is 0.
 *
 * Source: F. Mosteller and J. Tukey, Data Analysis and Regression, 1977, chapters 10 and 14; K. Kafadar, "A biweight approach to the
 * one-sample problem", Journal of the American Statistical Association 77(378), 1982; D. Lax, "Robust estimators of scale: finite-sample
 * performance in long-tailed symmetric distributions", ibid. 80(391), 1985.
 */
export function biweight(values: readonly number[]): Biweight | null {
  const n = values.length;
  if (n < fewestValues) return null;
  const middle = median(values);
  const deviation = median(values.map((value) => Math.abs(value - middle)));
  if (deviation <= NEGLIGIBLE * Math.max(1, Math.abs(middle))) return null;
  const location = biweightLocation(values, middle, LOCATION_REACH * deviation);
  const scale = biweightScale(values, middle, SCALE_REACH * deviation);
  const sorted = Float64Array.from(values).sort();
  const outside = n >> 2;
  const reach = Math.max(location - sorted[outside]!, sorted[n - 1 - outside]! - location);
  return {
    location,
    standardError: Math.max(scale, GUARD_SHARE * reach) / Math.sqrt(n),
    freedom: FREEDOM_SHARE * (n - 1),
  };
}

/** `reach`: the distance from `middle` from which on a value weighs nothing. */
export function biweightLocation(values: readonly number[], middle: number, reach: number): number {
  let sum = 0;
  let weights = 0;
  for (const value of values) {
    const u = (value - middle) / reach;
    if (Math.abs(u) >= 1) continue;
    const weight = (1 - u * u) ** 2;
    weights += weight;
    sum += weight * (value - middle);
  }
  return middle + sum / weights;
}

/** The biweight scale about `middle`, √n·√Σ(x − M)²(1 − u²)⁴ ÷ |Σ(1 − u²)(1 − 5u²)|: of normal values nearly their standard deviation. */
export function biweightScale(values: readonly number[], middle: number, reach: number): number {
  let squares = 0;
  let slopes = 0;
  for (const value of values) {
    const u = (value - middle) / reach;
    if (Math.abs(u) >= 1) continue;
    squares += (value - middle) ** 2 * (1 - u * u) ** 4;
    slopes += (1 - u * u) * (1 - 5 * u * u);
  }
  return (Math.sqrt(values.length) * Math.sqrt(squares)) / Math.abs(slopes);
}
