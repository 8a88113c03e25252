import { Histogram, isHistogram } from "../load/histogram/histogram.js";
import { isOurs, planUnder } from "../sweep/plan.js";
import { verdictOf } from "../validity/verdict.js";
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
  const names = new Set<string>();
  return allCells(comparison).flatMap((cell) => {
    const ours = isOurs(plan, cell.core);
    const context = { plannedTrials: 1, pinning: planUnder(plan, cell).pinning, environment, ours };
    const valid = cell.trials.filter((trial) => cell.verdict.valid || verdictOf([trial], context).valid);
    const total = merged(valid);
    if (total === null) return [];
    const { core, concurrency, rate, serverCpus } = cell;
    const cpus = serverCpus === undefined ? "" : `-${serverCpus}-cpus`;
    const name = `${core}-c${concurrency}${rate === null ? "" : `-${rate}-per-s`}${cpus}`;
    return [{ cell, total, fileName: unique(name.replace(/[^\w.-]+/g, "_"), names) }];
  });
}

/** null where no trial has a histogram: some other generators report a few percentiles only. */
function merged(trials: Cell["trials"]): Histogram | null {
  const stored = trials.flatMap(({ run: { latency } }) => (isHistogram(latency.total) ? [latency.total] : []));
  if (stored.length === 0) return null;
  const total = new Histogram();
  for (const one of stored) total.merge(Histogram.fromStored(one));
  return total;
}

/** The 99th percentile of all requests of all trials of a valid cell, ms; null where it is not known. */
export function pooledP99Ms({ trials, verdict }: Cell): number | null {
  const total = verdict.valid ? merged(trials) : null;
  return total === null ? null : total.valueAtPercentile(99) / 1e6;
}

/** The name, with a number where it is taken; it is taken then. */
function unique(name: string, names: Set<string>): string {
  let found = name;
  for (let n = 2; names.has(found); n++) found = `${name}-${n}`;
  names.add(found);
  return found;
}
