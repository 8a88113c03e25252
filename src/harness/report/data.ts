import type { Load } from "../sweep/plan.js";
import type { StateDifference, Stop } from "../sweep/result.js";
import type { Verdict } from "../validity/diagnostics.js";
import type { Answer } from "./answer.js";
import type { Cell, Estimate } from "./cell.js";
import type { Comparison, Level, Ratios } from "./comparison.js";
import type { DisturbedCount } from "./disturbed.js";
import { type KindLevel, kindLevels } from "./kinds.js";
import { pooledP99Ms } from "./latencies.js";
import type { MetricKey } from "./metrics.js";
import type { Noise } from "./noise.js";

/**
 * A report as data, for scripts: every verdict with its reasons, every figure of the tables. What a figure has no value for is null.
 * Times are in ms or µs and memory in MiB, as the keys say.
 */
export interface ReportData {
  readonly schema: "loopool-report/2";
  /** Path of the stored result it was made from, as it was given. */
  readonly result: string;
  readonly name: string;
  readonly startedAt: string;
  /** null: trials are missing. */
  readonly finishedAt: string | null;
  readonly cores: readonly string[];
  readonly answer: Answer;
  readonly levels: readonly LevelData[];
  readonly noise: Noise<CellData> | null;
  readonly stopped: Stop | null;
  readonly disturbed: readonly DisturbedCount[];
  /** Kinds of request under each load; absent where there is one. */
  readonly kinds?: readonly KindLevel[];
  /** Cores that answered the same requests otherwise than the first, before the first trial; absent where none did. */
  readonly stateDifferences?: readonly StateDifference[];
}

interface LevelData extends Omit<Level, "cells" | "ratios"> {
  readonly cells: readonly CellData[];
  /** Of each core to the first. */
  readonly comparisons: readonly Ratios[];
}

export interface CellData extends Load {
  readonly core: string;
  readonly verdict: Verdict;
  readonly trials: number;
  readonly sentRequests: number;
  readonly failedRequests: number;
  readonly estimates: Readonly<Record<MetricKey, Estimate>>;
  /** Of all requests of all trials; `estimates.p99Ms` is the median of the trials'. null where it is not known. */
  readonly pooledP99Ms: number | null;
}

export function cellData(cell: Cell): CellData {
  return { ...cell, trials: cell.trials.length, pooledP99Ms: pooledP99Ms(cell) };
}

export function reportData(
  { sweep, levels, noise, disturbed }: Comparison,
  answer: Answer,
  result: string,
): ReportData {
  const kinds = kindLevels({ levels });
  return {
    schema: "loopool-report/2",
    result,
    name: sweep.name,
    startedAt: sweep.startedAt,
    finishedAt: sweep.finishedAt,
    cores: sweep.plan.cores,
    answer,
    levels: levels.map(({ cells, ratios, ...level }) => ({
      ...level,
      cells: cells.map(cellData),
      comparisons: ratios,
    })),
    noise: noise && { ...noise, levels: noise.levels.map((level) => ({ ...level, cell: cellData(level.cell) })) },
    stopped: sweep.stopped ?? null,
    disturbed,
    ...(kinds.length === 0 ? {} : { kinds }),
    ...(sweep.stateDifferences === undefined ? {} : { stateDifferences: sweep.stateDifferences }),
  };
}
