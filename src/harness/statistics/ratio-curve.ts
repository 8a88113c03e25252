import { biweight } from "./biweight.js";
import { type Difference, isCalled, judge, testOf } from "./difference.js";
import { type Ratio, ratioOfLogs, studentRatio } from "./ratio.js";

/**
 * Blocks of one pass: `logRatios[b][i]` is the logarithm of the ratio of two cores in block b at `positions[i]`, NaN where it is missing. The
 * positions ascend; they lie on an axis on which a log-ratio is nearly a straight line between neighbours.
 */
export interface PassOfRatios {
  readonly positions: readonly number[];
  readonly logRatios: readonly (readonly number[])[];
}

/** What all passes say of the ratio at one position. */
export interface CurvePoint {
  readonly position: number;
  /** null where no block has a ratio. */
  readonly difference: Difference | null;
}

/** The log-ratios of all blocks at each position of a curve, ascending. */
export function valuesByPosition(passes: readonly PassOfRatios[]): ReadonlyMap<number, readonly number[]> {
  const found = new Map<number, number[]>();
  for (const { positions, logRatios } of passes) {
    for (const [index, position] of positions.entries()) {
      const values = found.get(position) ?? [];
      found.set(position, values);
      for (const block of logRatios) if (!Number.isNaN(block[index]!)) values.push(block[index]!);
    }
  }
  return new Map([...found].sort(([a], [b]) => a - b));
}

/**
 * Student's t of the biweight alone: a pass has few blocks and many positions, and of six blocks' 64 assignments of signs none is rare enough for
 * Holm's correction over them. What that gives is simulated with the crossing (test/harness/statistics/crossing.test.ts).
 */
function curveRatio(logs: readonly number[]): Ratio {
  const found = biweight(logs);
  return found === null ? ratioOfLogs(logs) : { ...studentRatio(found), pairs: logs.length, method: "biweight" };
}

/** A ratio over positions, judged as one family: of all curves of equal cores at most one in twenty holds a call. */
export function ratioCurve(passes: readonly PassOfRatios[]): readonly CurvePoint[] {
  const values = [...valuesByPosition(passes)];
  const differences = judge(values.map(([, logs]) => (logs.length === 0 ? null : testOf(curveRatio(logs)))));
  return values.map(([position], index) => ({ position, difference: differences[index] ?? null }));
}

/** Where the calls on a curve stand, without what was not called. */
export type CurveShape =
  /** Nothing is called. */
  | { readonly kind: "level" }
  /** Called above 1, or below 1, and nowhere the other. */
  | { readonly kind: "above" | "below"; readonly first: number; readonly last: number }
  /** From below 1 to above 1, or back: the last position called on the one side and the first on the other. */
  | { readonly kind: "rises" | "falls"; readonly from: number; readonly to: number }
  /** More than one change of sides. */
  | { readonly kind: "several"; readonly from: number; readonly to: number };

export function shapeOf(curve: readonly CurvePoint[]): CurveShape {
  const called = curve.flatMap(({ position, difference }) =>
    difference !== null && isCalled(difference) ? [{ position, above: difference.ratio > 1 }] : [],
  );
  const [first] = called;
  const last = called.at(-1);
  if (first === undefined || last === undefined) return { kind: "level" };
  const changes = called.flatMap(({ position, above }, index) => {
    const next = called[index + 1];
    return next === undefined || next.above === above ? [] : [{ from: position, to: next.position, rises: next.above }];
  });
  const [change] = changes;
  if (change === undefined) {
    return { kind: first.above ? "above" : "below", first: first.position, last: last.position };
  }
  if (changes.length > 1) return { kind: "several", from: change.from, to: changes.at(-1)!.to };
  return { kind: change.rises ? "rises" : "falls", from: change.from, to: change.to };
}

/** A range of positions in which a ratio passes 1, or before whose end it has. */
export interface Bracket {
  readonly from: number;
  readonly to: number;
  /** Upwards. */
  readonly rises: boolean;
}

/**
 * Where on a curve from `start` on the ratio passes 1 once; null where it does not, or more than once. A ratio that is called above 1 from some
 * position on, and is not called before, has passed by then.
 */
export function bracketOf(shape: CurveShape, start: number): Bracket | null {
  if (shape.kind === "rises" || shape.kind === "falls") {
    return { from: shape.from, to: shape.to, rises: shape.kind === "rises" };
  }
  return shape.kind === "above" && shape.first > start ? { from: start, to: shape.first, rises: true } : null;
}

/** So many positions between the ends of a bracket, equally far apart. */
export function positionsWithin({ from, to }: Bracket, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => from + ((to - from) * (index + 1)) / (count + 1));
}
