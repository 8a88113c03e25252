import {
  filledCells,
  type Phase,
  type PhaseHistogram,
  percentileMicros,
  phaseNames,
  type Recorded,
  readHistograms,
  SAMPLE_EVERY,
} from "./phases.js";
import { readStats } from "./stats.js";
import type { CoreMetrics, WorkersWatch } from "./worker-states.js";

/** What does not change while a server runs. */
export interface ServerFacts {
  readonly mode: string;
  readonly adapter: string;
  readonly pid: number;
  readonly node: string;
  /** Version of µWebSockets.js; "none" on another adapter. */
  readonly uws: string;
  /** ms since 1970, with fractions. */
  readonly startedAtMs: number;
  readonly iterationsPerMicro: number;
}

/** What the system says of the process. */
export interface ProcessUse {
  readonly cpuUserMicros: number;
  readonly cpuSystemMicros: number;
  readonly peakRssBytes: number;
}

/** All that the metrics are made of: the server's own memory, or a copy that another process has read. */
export interface MetricsSource {
  readonly facts: ServerFacts;
  /** When it was read, ms since 1970 with fractions. */
  readonly takenAtMs: number;
  /** The stats segment (stats.ts). */
  readonly stats: ArrayBufferLike;
  /** The histograms (phases.ts). */
  readonly phases: ArrayBufferLike;
  readonly process: ProcessUse;
  readonly core: CoreMetrics;
}

/** Where the facts of a running server stand. */
interface FactsSource extends Pick<ServerFacts, "uws" | "startedAtMs" | "iterationsPerMicro"> {
  readonly config: Pick<ServerFacts, "mode" | "adapter">;
}

/** What a running server's metrics are made of, in its own memory. */
export interface LiveSource extends FactsSource, Pick<MetricsSource, "stats" | "phases"> {}

/** The facts of a server, from any of its threads. */
export function factsOf({ config, uws, startedAtMs, iterationsPerMicro }: FactsSource): ServerFacts {
  const { mode, adapter } = config;
  return { mode, adapter, pid: process.pid, node: process.versions.node, uws, startedAtMs, iterationsPerMicro };
}

/** What the whole process has used, from any of its threads. */
export function processUse(): ProcessUse {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  // libuv gives kilobytes (uv_getrusage).
  return { cpuUserMicros: userCPUTime, cpuSystemMicros: systemCPUTime, peakRssBytes: maxRSS * 1024 };
}

/** A core without workers and without a queue. */
export const NO_WORKERS: CoreMetrics = { queued: null, workerStates: [] };

/** The metrics of a server, from any of its threads. `nowMs` is the common clock's (clock.ts). */
export function liveMetrics(shared: LiveSource, watch: WorkersWatch | null, nowMs: number): Metrics {
  return metricsOf({
    facts: factsOf(shared),
    takenAtMs: performance.timeOrigin + performance.now(),
    stats: shared.stats,
    phases: shared.phases,
    process: processUse(),
    core: watch?.read(nowMs) ?? NO_WORKERS,
  });
}

/** What a server has counted and spent since its start: the same for /stats.json, /metrics and whoever reads the mirror. */
export type Metrics = ReturnType<typeof metricsOf>;

export function metricsOf({ facts, takenAtMs, stats, phases, process, core }: MetricsSource) {
  const totals = readStats(stats);
  const histograms = readHistograms(phases);
  const responses = { "2xx": 0, "3xx": 0, "4xx": 0, "5xx": 0 };
  for (const [status, count] of Object.entries(totals.status)) {
    const kind = `${status.charAt(0)}xx`;
    // No server counts 1xx, but a mirror may say so.
    if (kind in responses) responses[kind as keyof typeof responses] += count;
  }
  return {
    mode: facts.mode,
    adapter: facts.adapter,
    pid: facts.pid,
    node: facts.node,
    uws: facts.uws,
    workers: totals.workers,
    uptimeMicros: Math.round((takenAtMs - facts.startedAtMs) * 1000),
    requests: totals.requests,
    responses,
    status: totals.status,
    bodyBytes: totals.bodyBytes,
    requestBodyBytes: totals.requestBodyBytes,
    activeConnections: totals.connectionsOpened - totals.connectionsClosed,
    connections: totals.connectionsOpened,
    inFlight: totals.inFlight,
    streams: totals.streams,
    queued: core.queued,
    bodyMemoryBytes: totals.bodyMemory,
    shed: totals.shed,
    aborted: totals.aborted,
    dropped: totals.dropped,
    timedOut: totals.timedOut,
    limits: {
      connections: totals.limitConnections,
      head: totals.limitHead,
      url: totals.limitUrl,
      body: totals.limitBody,
      rate: totals.limitRate,
      connectionRequests: totals.limitConnectionRequests,
      slowReaders: totals.limitSlowReaders,
      files: totals.limitFiles,
    },
    malformed: totals.malformed,
    denied: totals.denied,
    handled: totals.handled,
    handlerErrors: totals.handlerErrors,
    streamsFailed: totals.streamsFailed,
    unhandledRejections: totals.unhandledRejections,
    workersLost: totals.workersLost,
    log: { lines: totals.logLines, dropped: totals.logDropped, failures: totals.logFailures },
    cache: {
      hits: totals.cacheHits,
      sharedHits: totals.cacheSharedHits,
      misses: totals.cacheMisses,
      evictions: totals.cacheEvictions,
      bypassed: totals.cacheBypassed,
      rebuilds: totals.cacheRebuilds,
      bytes: totals.cacheBytes,
      entries: totals.cacheEntries,
    },
    workerStates: core.workerStates,
    cpuUserMicros: process.cpuUserMicros,
    cpuSystemMicros: process.cpuSystemMicros,
    peakRssBytes: process.peakRssBytes,
    eventLoop: { activeMs: totals.loopActiveMs, idleMs: totals.loopIdleMs, delayMaxMs: totals.loopDelayMaxMs },
    phases: { sampledEvery: SAMPLE_EVERY, ...phaseMetrics(histograms) },
    /** Of the same requests as the phases: from the head's arrival to the response's way into the socket. */
    latency: { sampledEvery: SAMPLE_EVERY, ...timesOf(histograms.total), cells: filledCells(histograms.total) },
    iterationsPerMicro: facts.iterationsPerMicro,
  };
}

/** Metrics of one histogram, µs, since the server's start. */
export interface TimeMetrics {
  readonly count: number;
  readonly sumMicros: number;
  readonly p50Micros: number;
  readonly p90Micros: number;
  readonly p99Micros: number;
}

function timesOf(histogram: PhaseHistogram): TimeMetrics {
  return {
    count: histogram.count,
    sumMicros: histogram.sumMicros,
    p50Micros: percentileMicros(histogram, 0.5),
    p90Micros: percentileMicros(histogram, 0.9),
    p99Micros: percentileMicros(histogram, 0.99),
  };
}

function phaseMetrics(histograms: Readonly<Record<Recorded, PhaseHistogram>>): Readonly<Record<Phase, TimeMetrics>> {
  return Object.fromEntries(phaseNames.map((name) => [name, timesOf(histograms[name])])) as Record<Phase, TimeMetrics>;
}
