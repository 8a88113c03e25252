import { bracketOf, positionsWithin } from "../statistics/ratio-curve.js";
import { decisiveCurves, type Openness, openPositions } from "./curves.js";
import { costAt, roundCost } from "./plan.js";
import type { BreakEvenResult, CostPoint, Pass } from "./result.js";

/**
 * What comes after the coarse pass: under each load costs between the two around a crossing, or once more the costs at which a difference may
 * be hidden; null where every answer is clear. Looking twice there does no harm: the second pass is chosen by the first, and its blocks are new.
 */
export function refinedPass(result: BreakEvenResult): Pass | null {
  const { refinedBlocks, refinedCosts } = result.plan;
  const points = new Map<string, CostPoint>();
  for (const open of decisiveCurves(result)) {
    const { serverCpus, concurrency, rate } = open.load;
    for (const costMicros of costsToMeasure(open, refinedCosts)) {
      points.set([serverCpus, concurrency, rate, costMicros].join("/"), { serverCpus, concurrency, rate, costMicros });
    }
  }
  if (points.size === 0) return null;
  return { kind: "refined", blocks: refinedBlocks, points: [...points.values()] };
}

function costsToMeasure({ curve, shape, start }: Openness, count: number): readonly number[] {
  const bracket = bracketOf(shape, start);
  if (bracket !== null) return positionsWithin(bracket, count).map((position) => roundCost(costAt(position)));
  return shape.kind === "several" ? [] : openPositions(curve).map((position) => roundCost(costAt(position)));
}
