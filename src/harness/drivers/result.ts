import type { StoredHistogram } from "../load/histogram/histogram.js";
import type { RunResult } from "../load/result/run-result.js";

/** A histogram made from the values that a tool gave for every request. */
export type ToolHistogram = StoredHistogram & {
  /** The grain of the tool's values. */
  readonly resolutionMicros: number;
};

/** Latencies of a tool that gives no histogram: the points that it does give, ns; null for what it does not. */
export interface ToolPercentiles {
  readonly unit: "ns";
  readonly count: number;
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  readonly standardDeviation: number | null;
  /** Ascending. No point in between is known. */
  readonly percentiles: readonly (readonly [percentile: number, ns: number])[];
  /** The grain of `min`, `max` and `percentiles`. */
  readonly resolutionMicros: number;
  /** The grain of `mean` and `standardDeviation`. */
  readonly meanResolutionMicros: number;
}

export type ToolLatency = ToolHistogram | ToolPercentiles;

/** Which tool it was, and what to know of its figures. */
export interface ToolAccounting {
  readonly name: string;
  readonly version: string;
  /** Program and arguments, as they were run. */
  readonly command: readonly string[];
  /** Its own report. */
  readonly output: string;
  /** What it is known to misreport and what was done about it, a sentence each. */
  readonly caveats: readonly string[];
  /** The most requests that the server may have counted and the tool has not: it drops what is under way when its time is up. */
  readonly uncountedAtMost: number;
}

/** What a run of another load generator reported, as far as it reported it: null is what it did not tell. Otherwise as in a RunResult. */
export interface ToolResult
  extends Pick<
    RunResult,
    | "url"
    | "host"
    | "port"
    | "path"
    | "method"
    | "requestBodyBytes"
    | "concurrency"
    | "keepAlive"
    | "requested"
    | "requestedSeconds"
    | "sent"
    | "completed"
    | "errors"
    | "elapsedSeconds"
    | "startedAt"
    | "totalByFirstByte"
  > {
  readonly tool: ToolAccounting;
  readonly loop: "closed";
  readonly openLoop?: undefined;
  readonly perSecond?: undefined;
  readonly window?: undefined;
  readonly kinds?: undefined;
  readonly bodyLengths?: undefined;
  readonly connectFailure?: undefined;
  readonly statusCounts: Readonly<Record<string, number>> | null;
  readonly keepAliveResponses: number | null;
  readonly peakConnections: number | null;
  readonly serverSoftware: string | null;
  readonly documentBytes: number | null;
  readonly totalBytes: number | null;
  readonly bodyBytes: number | null;
  /** Of completed requests only: null too where the tool mixes in the latencies of responses that were none. */
  readonly latency: {
    readonly connect: ToolLatency | null;
    readonly processing: ToolLatency | null;
    readonly waiting: ToolLatency | null;
    readonly total: ToolLatency | null;
  };
  /** Of the tool's process in the window, from /proc: null where there is none. */
  readonly generator: {
    readonly cpuUserMicros: number | null;
    readonly cpuSystemMicros: number | null;
    readonly cpuShare: number | null;
    readonly eventLoopUtilization: null;
    readonly eventLoopDelayMaxMs: null;
  };
}

/** What a run found, of our generator or of another. */
export type GeneratorResult = RunResult | ToolResult;
