import { monitorEventLoopDelay } from "node:perf_hooks";
import { Connection, type Loop } from "../connection/connection.js";
import type { StoredHistogram } from "../histogram/histogram.js";
import type { LoadOptions } from "../request/options.js";
import { kindsOf, RequestSource } from "../request/source.js";
import type { KindResult, RunResult } from "../result/run-result.js";
import { ClosedLoop } from "../schedule/closed-loop.js";
import { OpenLoop, type PartialOpenLoop } from "../schedule/open-loop.js";
import { instantsOf, timetableOf } from "../schedule/timetable.js";
import type { KindExpectations } from "../tally/kind-tally.js";
import type { ThreadSecond } from "../tally/series.js";
import { SharedRunState } from "../tally/shared-run-state.js";
import { Tally } from "../tally/tally.js";
import type { PartialWindow } from "../tally/window.js";
import type { Assignment } from "./assignment.js";

const READ_BUFFER_BYTES = 64 * 1024;
const DELAY_RESOLUTION_MS = 10;
/** How often connections are looked over for requests that take too long: a timer per request would cost more than the request. */
const MIN_SCAN_MS = 5;
const MAX_SCAN_MS = 500;

/** What one thread has to tell of a run. What has the name of a field of the result adds up to it. */
export interface PartialResult
  extends Pick<
    RunResult,
    | "sent"
    | "completed"
    | "errors"
    | "statusCounts"
    | "keepAliveResponses"
    | "serverSoftware"
    | "totalBytes"
    | "bodyBytes"
    | "startedAt"
    | "latency"
    | "totalByFirstByte"
  > {
  /** By kind of request; the latencies of a single kind are those of the part, and its own are empty. */
  readonly kinds: readonly PartialKind[];
  /** Why the first connection that was not made was not; "" where all were made. */
  readonly connectFailure: string;
  /** In an open loop. */
  readonly openLoop: PartialOpenLoop | null;
  /** From the start of the run, common to all threads, to the last response. */
  readonly elapsedMs: number;
  readonly window: PartialWindow;
  /** From the start of the run until a connection of this thread had nothing more to send: what follows is waiting. */
  readonly measuredMs: number;
  /** CPU time of the whole process at its start and after `measuredMs`. */
  readonly cpuBefore: NodeJS.CpuUsage;
  readonly cpuAfter: NodeJS.CpuUsage;
  /** Up to `measuredMs`. */
  readonly eventLoopUtilization: number;
  readonly eventLoopDelayMaxMs: number;
}

export interface PartialKind extends KindResult {
  /** SHA-256 that its bodies had to have; null where they were not looked at. */
  readonly bodySha256: string | null;
  /** Body bytes of its shortest and of its longest success; none: Infinity and 0. */
  readonly shortest: number;
  readonly longest: number;
}

/** What a thread is told and tells in a run. */
export interface RunHooks {
  /** Called when all is ready to send: answers when the run begins, ms of performance.now(), which may not lie ahead. */
  begin(): number | Promise<number>;
  /** Is given each second of the run when it is over. */
  onSecond(second: ThreadSecond): void;
}

/**
 * Sends a thread's requests over its connections until there is none left to send, and accounts for every one. When `signal` aborts,
 * no more are sent and those in flight count as interrupted.
 */
export async function runAssignment(
  assignment: Assignment,
  { begin, onSecond }: RunHooks,
  signal?: AbortSignal,
): Promise<PartialResult> {
  const { options, requests } = assignment;
  const kinds = expectationsOf(options);
  const shared = new SharedRunState(assignment.memory, kinds.length);
  const tally = new Tally({ requests, shared, onSecond, byFirstByte: options.byFirstByte, kinds });
  const connections = prepareConnections(assignment, tally);
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });

  const startMs = await begin();
  delay.enable();
  const cpuBefore = process.cpuUsage();
  const loopBefore = performance.eventLoopUtilization();
  const startedAt = new Date().toISOString();
  tally.series.start(startMs);

  const spent = { measuredMs: 0, cpuAfter: cpuBefore, eventLoopUtilization: 0 };
  const onFirstClosed = (): void => {
    spent.measuredMs = performance.now() - startMs;
    spent.cpuAfter = process.cpuUsage();
    spent.eventLoopUtilization = performance.eventLoopUtilization(loopBefore).utilization;
  };
  const { serverSoftware, openLoop, window } = await connections.run(startMs, onFirstClosed, signal);

  const endMs = performance.now();
  delay.disable();
  tally.series.finish(endMs);

  return {
    sent: tally.sent,
    completed: tally.completed,
    errors: tally.errors,
    statusCounts: tally.statusCounts,
    keepAliveResponses: tally.keepAliveResponses,
    serverSoftware,
    totalBytes: tally.totalBytes,
    bodyBytes: tally.kinds.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0),
    startedAt,
    latency: {
      connect: tally.connect.toStored(),
      processing: tally.processing.toStored(),
      waiting: tally.waiting.toStored(),
      total: tally.total.toStored(),
    },
    totalByFirstByte: totalsByCharacter(tally),
    kinds: tally.kinds.map((kind) => ({
      ...kind.toResult(),
      bodySha256: kind.bodySha256,
      shortest: kind.shortest,
      longest: kind.longest,
    })),
    connectFailure: tally.connectFailure,
    openLoop,
    elapsedMs: endMs - startMs,
    window,
    cpuBefore,
    ...spent,
    // What it records is the time between two of its ticks, the planned interval included.
    eventLoopDelayMaxMs: Math.max(0, delay.max / 1e6 - DELAY_RESOLUTION_MS),
  };
}

/** What is expected of each kind of request. */
export function expectationsOf(options: LoadOptions): readonly KindExpectations[] {
  const { bodySha256 = null, variableLength = false } = options;
  return kindsOf(options).map(({ name, statuses }) => ({ name, statuses, variableLength, bodySha256 }));
}

function totalsByCharacter({ totalByFirstByte }: Tally): Readonly<Record<string, StoredHistogram>> {
  return Object.fromEntries(
    Array.from(totalByFirstByte, ([byte, total]) => [byte < 0 ? "" : String.fromCharCode(byte), total.toStored()]),
  );
}

interface Connections {
  /** Resolves when every connection has found nothing more to send; calls `onFirstClosed` when one has. */
  run(
    startMs: number,
    onFirstClosed: () => void,
    signal: AbortSignal | undefined,
  ): Promise<{
    readonly serverSoftware: string;
    readonly openLoop: PartialOpenLoop | null;
    readonly window: PartialWindow;
  }>;
}

/** All that is needed to send, made before the clock starts. */
function prepareConnections(
  { options, address, thread, threads, connections: count }: Assignment,
  tally: Tally,
): Connections {
  const { timeoutMs, durationMs, rate = null, growing = false } = options;
  let onClosed = (): void => {};
  const closed = (): void => onClosed();
  const requests = new RequestSource(options, thread, threads);
  const context = { options, address, tally, requests, readBuffer: Buffer.allocUnsafe(READ_BUFFER_BYTES) };
  const connections: Connection[] = [];
  const grow = (): Connection => {
    const connection = new Connection(context, loop);
    connections.push(connection);
    return connection;
  };
  const openLoop =
    rate === null
      ? null
      : new OpenLoop(
          tally,
          {
            instants: instantsOf(options, rate, thread, threads),
            concurrency: count,
            grow,
            skip: () => requests.next().kind,
            timeoutMs,
            scheduleMs: timetableOf(options, rate).lengthMs,
          },
          closed,
        );
  const loop: Loop = openLoop ?? new ClosedLoop(tally, durationMs ?? Number.POSITIVE_INFINITY, closed);
  // The first is made in any case: who has nothing to send still says so.
  const atOnce = openLoop !== null && growing ? 1 : count;
  while (connections.length < atOnce) grow();
  const scanMs = Math.min(MAX_SCAN_MS, Math.max(MIN_SCAN_MS, timeoutMs / 20));

  return {
    run(startMs, onFirstClosed, signal) {
      return new Promise((resolve) => {
        let ended = 0;
        const scan = setInterval(() => {
          const nowMs = performance.now();
          for (const connection of connections) connection.checkTimeout(nowMs);
          loop.checkTimeout(nowMs);
        }, scanMs);
        const stop = (): void => {
          tally.stop();
          loop.stop();
          for (const connection of connections) connection.interrupt();
        };
        onClosed = () => {
          if (ended++ === 0) onFirstClosed();
          if (ended < connections.length) return;
          clearInterval(scan);
          signal?.removeEventListener("abort", stop);
          const serverSoftware = connections.find(({ server }) => server !== "")?.server ?? "";
          resolve({ serverSoftware, openLoop: openLoop?.toPartial() ?? null, window: loop.window() });
        };
        if (signal?.aborted) tally.stop();
        signal?.addEventListener("abort", stop, { once: true });
        loop.start([...connections], startMs);
      });
    },
  };
}
