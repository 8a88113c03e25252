import { type Latency, latencyOf } from "../drivers/latency.js";
import { windowSeconds } from "../drivers/rate.js";
import type { GeneratorResult } from "../drivers/result.js";
import { median } from "../statistics/median.js";
import type { SweepPlan } from "../sweep/result.js";
import type { Cell } from "./cell.js";
import type { Level } from "./comparison.js";
import { significant, whole } from "./format.js";
import type { Table } from "./table.js";

/** One run of ab, with the figures it prints. Connection times in ms: ab's row "Total" of connect + processing. */
interface AbRow {
  readonly concurrency: number;
  readonly totalSeconds: number;
  readonly requestsPerSecond: number;
  /** Time per request (mean). */
  readonly meanMs: number;
  readonly connectionMs: {
    readonly min: number;
    readonly mean: number;
    readonly deviation: number;
    readonly median: number;
    readonly max: number;
  };
}

/**
 * A web server in C: a master passes accepted connections to worker processes with threads of their own. Its authors measured it with
 * ApacheBench, 100,000 GET requests per row, no keep-alive, client and server on one virtual machine, one run each.
 */
const referenceServer: readonly AbRow[] = [
  {
    concurrency: 10,
    totalSeconds: 17.332,
    requestsPerSecond: 5769.73,
    meanMs: 1.733,
    connectionMs: { min: 0, mean: 2, deviation: 1.3, median: 1, max: 20 },
  },
  {
    concurrency: 100,
    totalSeconds: 12.981,
    requestsPerSecond: 7703.43,
    meanMs: 12.981,
    connectionMs: { min: 2, mean: 13, deviation: 6.5, median: 12, max: 104 },
  },
  {
    concurrency: 250,
    totalSeconds: 13.438,
    requestsPerSecond: 7441.86,
    meanMs: 33.594,
    connectionMs: { min: 3, mean: 33, deviation: 142.1, median: 13, max: 2267 },
  },
  {
    concurrency: 450,
    totalSeconds: 13.944,
    requestsPerSecond: 7171.63,
    meanMs: 62.747,
    connectionMs: { min: 3, mean: 61, deviation: 241.9, median: 14, max: 4377 },
  },
];

function cellsOf(name: string, row: AbRow, ms: (value: number) => string): readonly string[] {
  const { min, mean, deviation, median: middle, max } = row.connectionMs;
  return [
    `c=${row.concurrency}, ${name}`,
    significant(row.totalSeconds),
    whole(row.requestsPerSecond),
    significant(row.meanMs),
    ms(min),
    `${ms(mean)} ± ${significant(deviation)}`,
    ms(middle),
    ms(max),
  ];
}

/** The same figures of one of our cells: each the median over its trials. */
function measured({ concurrency, trials, estimates }: Cell): AbRow {
  const over = (of: (run: GeneratorResult, total: Latency) => number): number =>
    median(trials.map(({ run }) => of(run, latencyOf(run.latency.total))));
  return {
    concurrency,
    totalSeconds: over((run) => windowSeconds(run)),
    requestsPerSecond: estimates.requestsPerSecond.value,
    meanMs: estimates.timePerRequestMs.value,
    connectionMs: {
      min: over((_, total) => total.min / 1e6),
      mean: over((_, total) => total.mean / 1e6),
      deviation: over((_, total) => total.standardDeviation / 1e6),
      median: estimates.p50Ms.value,
      max: estimates.maxMs.value,
    },
  };
}

/** Whether a plan measures the default page, the one that the reference server's figures may stand beside. */
export function isOfDefaultPage({ path, handlers, traffic, serverCpus }: SweepPlan): boolean {
  return path === "/" && handlers === null && traffic === undefined && serverCpus === undefined;
}

/** The reference server's table with a row of ours below each of its own; dashes where ours was not measured. */
export function referenceServerTable(levels: readonly Level[], cores: readonly string[]): Table {
  return {
    header: ["", "Total, s", "Requests/s", "Mean, ms", "Min", "Mean ± sd", "Median", "Max"],
    rows: referenceServer.flatMap((row) => {
      const level = levels.find(({ concurrency, rate }) => concurrency === row.concurrency && rate === null);
      return [
        cellsOf("C server", row, whole),
        ...cores.map((core) => {
          const cell = level?.cells.find((candidate) => candidate.core === core);
          return cell !== undefined && cell.trials.length > 0
            ? cellsOf(cell.verdict.valid ? core : `${core} (invalid)`, measured(cell), significant)
            : [`c=${row.concurrency}, ${core}`, ...new Array<string>(7).fill("–")];
        }),
      ];
    }),
  };
}
