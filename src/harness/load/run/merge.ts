import { mergedHistogram, type StoredHistogram } from "../histogram/histogram.js";
import type { LoadOptions } from "../request/options.js";
import { kindsOf } from "../request/source.js";
import {
  type KindResult,
  noErrors,
  type OpenLoopResult,
  type RunResult,
  type SecondResult,
} from "../result/run-result.js";
import { timetableOf } from "../schedule/timetable.js";
import { windowOf } from "../tally/window.js";
import { requestsOf } from "./assignment.js";
import type { PartialKind, PartialResult } from "./partial-result.js";

/** What the threads of a run know together. */
export interface Whole {
  readonly peakConnections: number;
  readonly perSecond: readonly SecondResult[];
}

/** One run's result from what its threads have to tell, at least one. Counts add up, histograms merge cell by cell. */
export function mergePartialResults(options: LoadOptions, partials: readonly PartialResult[], whole: Whole): RunResult {
  const { target, rate = null, durationMs = null } = options;
  const sum = (of: (part: PartialResult) => number): number => partials.reduce((total, part) => total + of(part), 0);
  const largest = (of: (part: PartialResult) => number): number => Math.max(...partials.map(of));
  const merged = (of: (part: PartialResult) => StoredHistogram): StoredHistogram => mergedHistogram(partials.map(of));

  const requests = requestsOf(options);
  const sent = sum((part) => part.sent);
  const elapsedMs = largest((part) => part.elapsedMs);
  const asked = kindsOf(options);
  const kinds = asked.map((_, number) => partials.map((part) => part.kinds[number]!));
  const [first = []] = kinds;
  const { documentBytes, bodySha256 } = typicalOf(first);
  const [shortest, longest] = [
    Math.min(...kinds.flat().map((kind) => kind.shortest)),
    Math.max(...kinds.flat().map((kind) => kind.longest)),
  ];
  const openLoop = rate === null ? null : openLoopResult(options, rate, partials, whole);
  const completed = sum((part) => part.completed);
  const window = windowOf(
    partials.map((part) => part.window),
    completed,
    rate !== null || (durationMs !== null && sent < requests),
  );
  // Of the process: the thread that came to the end of the window first read it closest to there.
  const soonest = partials.reduce((a, b) => (b.measuredMs < a.measuredMs ? b : a));
  const cpuMicros = (of: keyof NodeJS.CpuUsage): number =>
    soonest.cpuAfter[of] - Math.min(...partials.map((part) => part.cpuBefore[of]));
  const [cpuUserMicros, cpuSystemMicros] = [cpuMicros("user"), cpuMicros("system")];

  return {
    url: target.url,
    host: target.host,
    port: target.port,
    path: target.path,
    ...(asked.length === 1 ? { method: asked[0]!.method } : { method: "MIX", seed: options.seed ?? 1 }),
    ...(asked.length === 1 && asked[0]!.body !== null ? { requestBodyBytes: asked[0]!.body.length } : {}),
    ...(asked.length === 1 ? {} : { kinds: kinds.map(mergeKind) }),
    loop: rate === null ? "closed" : "open",
    ...(openLoop === null ? {} : { openLoop }),
    // Where connections grow, all that there were.
    concurrency: openLoop?.connectionsAllowed === undefined ? options.concurrency : Math.max(1, whole.peakConnections),
    keepAlive: options.keepAlive,
    requested: Number.isFinite(requests) ? requests : sent,
    ...(durationMs === null ? {} : { requestedSeconds: durationMs / 1000 }),
    sent,
    completed,
    errors: { ...noErrors(), ...summed(partials.map(({ errors }) => errors)) },
    statusCounts: summed(partials.map(({ statusCounts }) => statusCounts)),
    keepAliveResponses: sum((part) => part.keepAliveResponses),
    peakConnections: whole.peakConnections,
    serverSoftware: partials.find(({ serverSoftware }) => serverSoftware !== "")?.serverSoftware ?? "",
    documentBytes,
    ...(options.variableLength === true && shortest < longest ? { bodyLengths: { shortest, longest } } : {}),
    ...connectFailureOf(partials),
    ...(bodySha256 === null || asked.length > 1 ? {} : { bodySha256 }),
    totalBytes: sum((part) => part.totalBytes),
    bodyBytes: sum((part) => part.bodyBytes),
    elapsedSeconds: elapsedMs / 1000,
    ...(window === null ? {} : { window }),
    startedAt: partials.map(({ startedAt }) => startedAt).sort()[0]!,
    latency: {
      connect: merged((part) => part.latency.connect),
      processing: merged((part) => part.latency.processing),
      waiting: merged((part) => part.latency.waiting),
      total: merged((part) => part.latency.total),
    },
    perSecond: whole.perSecond,
    totalByFirstByte: mergedByKey(partials.map(({ totalByFirstByte }) => totalByFirstByte)),
    generator: {
      threads: partials.length,
      cpuUserMicros,
      cpuSystemMicros,
      cpuShare: (cpuUserMicros + cpuSystemMicros) / (soonest.measuredMs * 1000),
      eventLoopUtilization: largest((part) => part.eventLoopUtilization),
      eventLoopDelayMaxMs: largest((part) => part.eventLoopDelayMaxMs),
    },
  };
}

function connectFailureOf(partials: readonly PartialResult[]): Pick<RunResult, "connectFailure"> {
  const failed = partials.find(({ connectFailure }) => connectFailure !== "");
  return failed === undefined ? {} : { connectFailure: failed.connectFailure };
}

/** Of one kind: a thread that succeeded had the body that all had to have. */
function typicalOf(partials: readonly PartialKind[]): PartialKind {
  const succeeded = partials.find(({ completed }) => completed > 0);
  return succeeded ?? partials.find(({ documentBytes }) => documentBytes > 0) ?? partials[0]!;
}

function mergeKind(partials: readonly PartialKind[]): KindResult {
  const sum = (of: (part: PartialKind) => number): number => partials.reduce((total, part) => total + of(part), 0);
  return {
    name: partials[0]!.name,
    sent: sum((part) => part.sent),
    completed: sum((part) => part.completed),
    errors: { ...noErrors(), ...summed(partials.map(({ errors }) => errors)) },
    statusCounts: summed(partials.map(({ statusCounts }) => statusCounts)),
    documentBytes: typicalOf(partials).documentBytes,
    bodyBytes: sum((part) => part.bodyBytes),
    total: mergedHistogram(partials.map((part) => part.total)),
  };
}

function openLoopResult(
  options: LoadOptions,
  rate: number,
  partials: readonly PartialResult[],
  whole: Whole,
): OpenLoopResult {
  const { arrivals = "poisson", rampMs = 0, seed = 1, growing = false, concurrency } = options;
  const loops = partials.flatMap(({ openLoop }) => openLoop ?? []);
  const lag = mergedHistogram(loops.map((loop) => loop.lag));
  const pacing = mergedHistogram(loops.map((loop) => loop.pacing));
  // Evenly spaced n requests that are on time take n − 1 periods: a last one besides.
  const lastMs = Math.max(...loops.map(({ lastSentAfterMs }) => lastSentAfterMs));
  const sentMs = arrivals === "even" && rampMs === 0 ? lastMs + 1000 / rate : lastMs;
  const scheduledMs = Math.max(...partials.map(({ window }) => window.endsAfterMs));
  const { requests, lengthMs } = timetableOf(options, rate);
  return {
    rate,
    arrivals: typeof arrivals === "string" ? arrivals : "recorded",
    ...(arrivals === "poisson" ? { seed } : {}),
    ...(rampMs > 0 ? { rampSeconds: rampMs / 1000, meanRate: (1000 * requests) / lengthMs } : {}),
    waited: lag.count - pacing.count,
    ...(growing ? { connectionsAllowed: Math.max(concurrency, whole.peakConnections) } : {}),
    achievedRate: lag.count === 0 ? 0 : (lag.count * 1000) / Math.max(sentMs, scheduledMs),
    lag,
    pacing,
  };
}

function summed(records: readonly Readonly<Record<string, number>>[]): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const [key, count] of records.flatMap((record) => Object.entries(record))) sums[key] = (sums[key] ?? 0) + count;
  return sums;
}

function mergedByKey(
  records: readonly Readonly<Record<string, StoredHistogram>>[],
): Readonly<Record<string, StoredHistogram>> {
  const keys = new Set(records.flatMap((record) => Object.keys(record)));
  return Object.fromEntries(
    Array.from(keys, (key) => [key, mergedHistogram(records.flatMap((record) => record[key] ?? []))]),
  );
}
