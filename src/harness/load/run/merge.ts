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
import type { KindPart, Part } from "./part.js";
import { requestsOf } from "./share.js";

/** What the threads of a run know together. */
export interface Whole {
  readonly peakConnections: number;
  readonly perSecond: readonly SecondResult[];
}

/** One run's result from what its threads have to tell, at least one. Counts add up, histograms merge cell by cell. */
export function mergeParts(options: LoadOptions, parts: readonly Part[], whole: Whole): RunResult {
  const { target, rate = null, durationMs = null } = options;
  const sum = (of: (part: Part) => number): number => parts.reduce((total, part) => total + of(part), 0);
  const largest = (of: (part: Part) => number): number => Math.max(...parts.map(of));
  const merged = (of: (part: Part) => StoredHistogram): StoredHistogram => mergedHistogram(parts.map(of));

  const requests = requestsOf(options);
  const sent = sum((part) => part.sent);
  const elapsedMs = largest((part) => part.elapsedMs);
  const asked = kindsOf(options);
  const kinds = asked.map((_, number) => parts.map((part) => part.kinds[number]!));
  const [first = []] = kinds;
  const { documentBytes, bodySha256 } = typicalOf(first);
  const [shortest, longest] = [
    Math.min(...kinds.flat().map((kind) => kind.shortest)),
    Math.max(...kinds.flat().map((kind) => kind.longest)),
  ];
  const openLoop = rate === null ? null : openLoopResult(options, rate, parts, whole);
  const completed = sum((part) => part.completed);
  const window = windowOf(
    parts.map((part) => part.window),
    completed,
    rate !== null || (durationMs !== null && sent < requests),
  );
  // Of the process: the thread that came to the end of the window first read it closest to there.
  const soonest = parts.reduce((a, b) => (b.measuredMs < a.measuredMs ? b : a));
  const cpuMicros = (of: keyof NodeJS.CpuUsage): number =>
    soonest.cpuAfter[of] - Math.min(...parts.map((part) => part.cpuBefore[of]));
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
    errors: { ...noErrors(), ...summed(parts.map(({ errors }) => errors)) },
    statusCounts: summed(parts.map(({ statusCounts }) => statusCounts)),
    keepAliveResponses: sum((part) => part.keepAliveResponses),
    peakConnections: whole.peakConnections,
    serverSoftware: parts.find(({ serverSoftware }) => serverSoftware !== "")?.serverSoftware ?? "",
    documentBytes,
    ...(options.variableLength === true && shortest < longest ? { bodyLengths: { shortest, longest } } : {}),
    ...connectFailureOf(parts),
    ...(bodySha256 === null || asked.length > 1 ? {} : { bodySha256 }),
    totalBytes: sum((part) => part.totalBytes),
    bodyBytes: sum((part) => part.bodyBytes),
    elapsedSeconds: elapsedMs / 1000,
    ...(window === null ? {} : { window }),
    startedAt: parts.map(({ startedAt }) => startedAt).sort()[0]!,
    latency: {
      connect: merged((part) => part.latency.connect),
      processing: merged((part) => part.latency.processing),
      waiting: merged((part) => part.latency.waiting),
      total: merged((part) => part.latency.total),
    },
    perSecond: whole.perSecond,
    totalByFirstByte: mergedByKey(parts.map(({ totalByFirstByte }) => totalByFirstByte)),
    generator: {
      threads: parts.length,
      cpuUserMicros,
      cpuSystemMicros,
      cpuShare: (cpuUserMicros + cpuSystemMicros) / (soonest.measuredMs * 1000),
      eventLoopUtilization: largest((part) => part.eventLoopUtilization),
      eventLoopDelayMaxMs: largest((part) => part.eventLoopDelayMaxMs),
    },
  };
}

function connectFailureOf(parts: readonly Part[]): Pick<RunResult, "connectFailure"> {
  const failed = parts.find(({ connectFailure }) => connectFailure !== "");
  return failed === undefined ? {} : { connectFailure: failed.connectFailure };
}

/** Of one kind: a thread that succeeded had the body that all had to have. */
function typicalOf(parts: readonly KindPart[]): KindPart {
  const succeeded = parts.find(({ completed }) => completed > 0);
  return succeeded ?? parts.find(({ documentBytes }) => documentBytes > 0) ?? parts[0]!;
}

function mergeKind(parts: readonly KindPart[]): KindResult {
  const sum = (of: (part: KindPart) => number): number => parts.reduce((total, part) => total + of(part), 0);
  return {
    name: parts[0]!.name,
    sent: sum((part) => part.sent),
    completed: sum((part) => part.completed),
    errors: { ...noErrors(), ...summed(parts.map(({ errors }) => errors)) },
    statusCounts: summed(parts.map(({ statusCounts }) => statusCounts)),
    documentBytes: typicalOf(parts).documentBytes,
    bodyBytes: sum((part) => part.bodyBytes),
    total: mergedHistogram(parts.map((part) => part.total)),
  };
}

function openLoopResult(options: LoadOptions, rate: number, parts: readonly Part[], whole: Whole): OpenLoopResult {
  const { arrivals = "poisson", rampMs = 0, seed = 1, growing = false, concurrency } = options;
  const loops = parts.flatMap(({ openLoop }) => openLoop ?? []);
  const lag = mergedHistogram(loops.map((loop) => loop.lag));
  const pacing = mergedHistogram(loops.map((loop) => loop.pacing));
  // Evenly spaced n requests that are on time take n − 1 periods: a last one besides.
  const lastMs = Math.max(...loops.map(({ lastSentAfterMs }) => lastSentAfterMs));
  const sentMs = arrivals === "even" && rampMs === 0 ? lastMs + 1000 / rate : lastMs;
  const scheduledMs = Math.max(...parts.map(({ window }) => window.endsAfterMs));
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
