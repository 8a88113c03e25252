import { requestsOf } from "./assignment.js";
import { mergedHistogram, type StoredHistogram } from "./histogram.js";
import type { LoadOptions } from "./options.js";
import type { PartialResult } from "./partial-result.js";
import { noErrors, type OpenLoopResult, type RunResult, type SecondResult } from "./run-result.js";
import { windowOf } from "./window.js";

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
  // One that succeeded had the body that all had to have.
  const typical =
    partials.find(({ completed }) => completed > 0) ?? partials.find(({ documentBytes }) => documentBytes > 0);
  const { documentBytes, bodySha256 } = typical ?? partials[0]!;
  const openLoop = rate === null ? null : openLoopResult(rate, partials);
  const completed = sum((part) => part.completed);
  const window = windowOf(
    partials.map((part) => part.window),
    completed,
    rate !== null || (durationMs !== null && sent < requests),
  );
  // Of the process: the thread that came to the end of the window first read it closest to there.
  const first = partials.reduce((a, b) => (b.measuredMs < a.measuredMs ? b : a));
  const cpuMicros = (of: keyof NodeJS.CpuUsage): number =>
    first.cpuAfter[of] - Math.min(...partials.map((part) => part.cpuBefore[of]));
  const [cpuUserMicros, cpuSystemMicros] = [cpuMicros("user"), cpuMicros("system")];

  return {
    url: target.url,
    host: target.host,
    port: target.port,
    path: target.path,
    loop: rate === null ? "closed" : "open",
    ...(openLoop === null ? {} : { openLoop }),
    concurrency: options.concurrency,
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
    ...(bodySha256 === null ? {} : { bodySha256 }),
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
      cpuShare: (cpuUserMicros + cpuSystemMicros) / (first.measuredMs * 1000),
      eventLoopUtilization: largest((part) => part.eventLoopUtilization),
      eventLoopDelayMaxMs: largest((part) => part.eventLoopDelayMaxMs),
    },
  };
}

function openLoopResult(rate: number, partials: readonly PartialResult[]): OpenLoopResult {
  const loops = partials.flatMap(({ openLoop }) => openLoop ?? []);
  const lag = mergedHistogram(loops.map((loop) => loop.lag));
  // A last period, since n requests that are on time take n − 1 periods.
  const sendingMs = Math.max(...loops.map(({ lastSentAfterMs }) => lastSentAfterMs)) + 1000 / rate;
  return {
    rate,
    achievedRate: lag.count === 0 ? 0 : (lag.count * 1000) / sendingMs,
    lag,
    pacing: mergedHistogram(loops.map((loop) => loop.pacing)),
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
