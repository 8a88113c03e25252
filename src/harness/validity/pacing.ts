import { Histogram } from "../load/histogram/histogram.js";
import type { OpenLoopResult } from "../load/result/run-result.js";
import { median } from "../statistics/median.js";
import { type Reason, thresholds, type Warning } from "./diagnostics.js";
import type { RanTrial } from "./saturation.js";

interface Paced {
  readonly openLoop: OpenLoopResult;
  /** 99th percentiles, ms. */
  readonly pacingMs: number;
  readonly latencyMs: number;
}

/**
 * Did an open loop keep to its schedule? A generator that sends late measures itself; its CPU says nothing about that, since it looks at the
 * clock without a pause. A server that does not keep up with the rate is no fault of the measurement, but what was measured then is how long
 * the trial lasted. Empty for closed loops.
 */
export function pacing(trials: readonly RanTrial[]): {
  readonly reasons: readonly Reason[];
  readonly warnings: readonly Warning[];
} {
  const paced = trials.flatMap(({ run: { openLoop, latency } }): readonly Paced[] =>
    openLoop === undefined ? [] : [{ openLoop, pacingMs: p99Ms(openLoop.pacing), latencyMs: p99Ms(latency.total) }],
  );
  if (paced.length === 0) return { reasons: [], warnings: [] };
  const found = {
    pacingMs: median(paced.map(({ pacingMs }) => pacingMs)),
    latencyMs: median(paced.map(({ latencyMs }) => latencyMs)),
  };
  const share = found.pacingMs / found.latencyMs;
  if (share >= thresholds.late) return { reasons: [{ code: "generator-late", ...found }], warnings: [] };
  const missed = paced
    .map(({ openLoop }) => openLoop)
    .filter(({ rate, meanRate = rate, achievedRate }) => achievedRate < meanRate * (1 - thresholds.rateMissed))
    .sort((a, b) => a.achievedRate - b.achievedRate);
  const [worst] = missed;
  const short = trials
    .filter(({ run }) => (run.openLoop?.waited ?? 0) > thresholds.waitedForConnection * run.sent)
    .sort((a, b) => b.run.openLoop!.waited! / b.run.sent - a.run.openLoop!.waited! / a.run.sent);
  const [shortest] = short;
  return {
    reasons: [],
    warnings: [
      ...(share >= thresholds.somewhatLate ? [{ code: "generator-somewhat-late", ...found } as const] : []),
      ...(worst === undefined
        ? []
        : [
            {
              code: "overloaded",
              trials: missed.length,
              rate: worst.meanRate ?? worst.rate,
              achievedRate: worst.achievedRate,
            } as const,
          ]),
      ...(shortest === undefined
        ? []
        : [
            {
              code: "connections-short",
              trials: short.length,
              concurrency: shortest.run.concurrency,
              waited: shortest.run.openLoop!.waited!,
              sent: shortest.run.sent,
            } as const,
          ]),
    ],
  };
}

function p99Ms(stored: OpenLoopResult["pacing"]): number {
  return Histogram.fromStored(stored).valueAtPercentile(99) / 1e6;
}
