import { Histogram } from "../load/histogram.js";
import { verdictOf } from "../statistics/verdict.js";
import type { Cell } from "./cell.js";
import { allCells, type Comparison } from "./comparison.js";

/** All latencies of a cell in one histogram. */
export interface CellLatency {
  readonly cell: Cell;
  /** Total latencies of its valid trials. */
  readonly total: Histogram;
  /** Name for a file, without its ending: letters, digits and "-", "_" and "."; no two cells of a sweep have the same. */
  readonly fileName: string;
}

/** The latencies of every cell with a valid trial. In a valid cell all trials are; in another one those that are valid by themselves. */
export function latenciesOf(comparison: Comparison): readonly CellLatency[] {
  const { plan, environment } = comparison.sweep;
  const context = { plannedTrials: 1, pinning: plan.pinning, environment };
  const names = new Set<string>();
  return allCells(comparison).flatMap((cell) => {
    const valid = cell.trials.filter((trial) => cell.verdict.valid || verdictOf([trial], context).valid);
    if (valid.length === 0) return [];
    const total = new Histogram();
    for (const { run } of valid) total.merge(Histogram.fromStored(run.latency.total));
    return [{ cell, total, fileName: unique(`${cell.core}-c${cell.concurrency}`.replace(/[^\w.-]+/g, "_"), names) }];
  });
}

/** The name, with a number where it is taken; it is taken then. */
function unique(name: string, names: Set<string>): string {
  let found = name;
  for (let n = 2; names.has(found); n++) found = `${name}-${n}`;
  names.add(found);
  return found;
}
