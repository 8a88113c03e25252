import { workSeconds } from "../drivers/rate.js";
import { Histogram } from "../load/histogram/histogram.js";
import type { KindResult } from "../load/result/run-result.js";
import { type Difference, judge, pairedTest } from "../statistics/difference.js";
import type { Interval } from "../statistics/interval.js";
import { median, medianInterval } from "../statistics/median.js";
import type { Load } from "../sweep/plan.js";
import type { RanTrial } from "../validity/saturation.js";
import type { Cell } from "./cell.js";
import type { Comparison, Level } from "./comparison.js";
import { differenceCell } from "./difference-text.js";
import { estimate, loadText, significant, whole } from "./format.js";
import type { Table } from "./table.js";

/** Kinds of request in a sweep that sends several: each compared between the cores by its latencies, since all of them share one rate. */

/** What is known of one kind under one load. */
export interface KindLevel extends Load {
  readonly kind: string;
  /** By core, in the order of the plan. */
  readonly cells: readonly KindCell[];
  /** Of each core to the first: 99th percentile of latency; null where a cell is invalid. */
  readonly ratios: readonly { readonly core: string; readonly p99Ms: Difference | null }[];
}

export interface KindCell {
  readonly core: string;
  readonly sent: number;
  readonly failed: number;
  readonly requestsPerSecond: KindEstimate;
  readonly p50Ms: KindEstimate;
  readonly p99Ms: KindEstimate;
}

interface KindEstimate {
  readonly value: number;
  readonly interval: Interval | null;
}

type KindMetric = (kind: KindResult, trial: RanTrial) => number;

const percentile =
  (percent: number): KindMetric =>
  ({ total }) =>
    total.count === 0 ? Number.NaN : Histogram.fromStored(total).valueAtPercentile(percent) / 1e6;
const rate: KindMetric = ({ completed }, { run }) => completed / workSeconds(run);
const p99Ms = percentile(99);

/** Empty where all requests are of one kind. */
export function kindLevels({ levels }: Pick<Comparison, "levels">): readonly KindLevel[] {
  const names = namesOf(levels);
  const pairs = levels.flatMap((level) => names.map((kind) => ({ level, kind })));
  const tests = pairs.flatMap(({ level, kind }) => {
    const [base, ...others] = level.cells;
    return others.map((other) => (base === undefined ? null : testOf(kind, base, other)));
  });
  // One family: what is told of one kind is told of all.
  const differences = judge(tests);
  let next = 0;
  return pairs.map(({ level: { concurrency, rate: asked, cells }, kind }) => ({
    concurrency,
    rate: asked,
    kind,
    cells: cells.map((cell) => kindCell(kind, cell)),
    ratios: cells.slice(1).map(({ core }) => ({ core, p99Ms: differences[next++] ?? null })),
  }));
}

function namesOf(levels: readonly Level[]): readonly string[] {
  const results = levels.flatMap(({ cells }) =>
    cells.flatMap(({ trials }) => trials.flatMap(({ run }) => run.kinds ?? [])),
  );
  return [...new Set(results.map(({ name }) => name))];
}

function valuesOf(kind: string, { trials }: Cell, of: KindMetric): ReadonlyMap<number, number> {
  return new Map(
    trials.flatMap((trial) => {
      const found = trial.run.kinds?.find(({ name }) => name === kind);
      const value = found === undefined ? Number.NaN : of(found, trial);
      return Number.isNaN(value) ? [] : [[trial.block, value] as const];
    }),
  );
}

function testOf(kind: string, base: Cell, other: Cell) {
  if (!base.verdict.valid || !other.verdict.valid) return null;
  const [ours, theirs] = [valuesOf(kind, base, p99Ms), valuesOf(kind, other, p99Ms)];
  const blocks = [...ours.keys()].filter((block) => theirs.has(block));
  if (blocks.length === 0) return null;
  return pairedTest(
    blocks.map((block) => ours.get(block)!),
    blocks.map((block) => theirs.get(block)!),
  );
}

function kindCell(kind: string, cell: Cell): KindCell {
  const found = cell.trials.flatMap(({ run }) => run.kinds?.filter(({ name }) => name === kind) ?? []);
  const sum = (of: (one: KindResult) => number): number => found.reduce((total, one) => total + of(one), 0);
  const estimateOf = (of: KindMetric): KindEstimate => {
    const values = [...valuesOf(kind, cell, of).values()];
    return values.length === 0
      ? { value: Number.NaN, interval: null }
      : { value: median(values), interval: medianInterval(values) };
  };
  return {
    core: cell.core,
    sent: sum(({ sent }) => sent),
    failed: sum(({ sent, completed }) => sent - completed),
    requestsPerSecond: estimateOf(rate),
    p50Ms: estimateOf(percentile(50)),
    p99Ms: estimateOf(p99Ms),
  };
}

/** What a reader must know of the table. */
export const kindsNote =
  "All kinds share one stream of requests: the rate of each follows from its weight, so kinds are compared by their latencies. Medians over the trials with [95% interval].";

/** A row for each kind under each load; null where all requests are of one kind. */
export function kindsTable(comparison: Comparison): Table | null {
  const levels = kindLevels(comparison);
  if (levels.length === 0) return null;
  const [base = "", ...others] = comparison.sweep.plan.cores;
  const columns = ["requests/s", "50%, ms", "99%, ms", "failed"];
  return {
    header: [
      "Kind of request",
      ...[base, ...others].flatMap((core) => columns.map((column) => `${core}: ${column}`)),
      ...others.map((core) => `${core} ÷ ${base}: 99% latency`),
    ],
    rows: levels.map(({ kind, cells, ratios, ...load }) => [
      `${kind}, ${loadText(load)}`,
      ...cells.flatMap((cell) => [
        estimate(cell.requestsPerSecond.value, cell.requestsPerSecond.interval, significant),
        significant(cell.p50Ms.value),
        estimate(cell.p99Ms.value, cell.p99Ms.interval, significant),
        whole(cell.failed),
      ]),
      ...ratios.map(({ p99Ms: found }) => (found === null ? "not ranked" : differenceCell(found))),
    ]),
  };
}
