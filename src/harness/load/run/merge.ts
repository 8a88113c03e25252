import { mergedHistogram, type StoredHistogram } from "../histogram/histogram.js";
import type { LoadOptions } from "../request/options.js";
import { noErrors, type OpenLoopResult, type RunResult, type SecondResult } from "../result/run-result.js";
import { windowOf } from "../tally/window.js";
import type { Part } from "./part.js";
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
  // One that succeeded had the body that all had to have.
  const typical = parts.find(({ completed }) => completed > 0) ?? parts.find(({ documentBytes }) => documentBytes > 0);
  const { documentBytes, bodySha256 } = typical ?? parts[0]!;
  const openLoop = rate === null ? null : openLoopResult(rate, parts);
  const completed = sum((part) => part.completed);
  const window = windowOf(
    parts.map((part) => part.window),
    completed,
    rate !== null || (durationMs !== null && sent < requests),
  );
  // Of the process: the thread that came to the end of the window first read it closest to there.
  const first = parts.reduce((a, b) => (b.measuredMs < a.measuredMs ? b : a));
  const cpuMicros = (of: keyof NodeJS.CpuUsage): number =>
    first.cpuAfter[of] - Math.min(...parts.map((part) => part.cpuBefore[of]));
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
    errors: { ...noErrors(), ...summed(parts.map(({ errors }) => errors)) },
    statusCounts: summed(parts.map(({ statusCounts }) => statusCounts)),
    keepAliveResponses: sum((part) => part.keepAliveResponses),
    peakConnections: whole.peakConnections,
    serverSoftware: parts.find(({ serverSoftware }) => serverSoftware !== "")?.serverSoftware ?? "",
    documentBytes,
    ...(bodySha256 === null ? {} : { bodySha256 }),
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
      cpuShare: (cpuUserMicros + cpuSystemMicros) / (first.measuredMs * 1000),
      eventLoopUtilization: largest((part) => part.eventLoopUtilization),
      eventLoopDelayMaxMs: largest((part) => part.eventLoopDelayMaxMs),
    },
  };
}

function openLoopResult(rate: number, parts: readonly Part[]): OpenLoopResult {
  const loops = parts.flatMap(({ openLoop }) => openLoop ?? []);
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
