import { monitorEventLoopDelay } from "node:perf_hooks";
import { addressOf } from "./address.js";
import { ClosedLoop } from "./closed-loop.js";
import { Lane } from "./lane.js";
import { OpenLoop } from "./open-loop.js";
import { encodeRequest, type LoadOptions } from "./options.js";
import type { OpenLoopResult, RunResult } from "./run-result.js";
import { Tally } from "./tally.js";

const READ_BUFFER_BYTES = 64 * 1024;
const DELAY_RESOLUTION_MS = 10;
/** How often connections are looked over for requests that take too long: a timer per request would cost more than the request. */
const MIN_SCAN_MS = 5;
const MAX_SCAN_MS = 500;

/**
 * Sends requests over `concurrency` connections, in a closed loop or at a rate, until `requests` are sent or the duration is over, and
 * accounts for every one of them. Throws a LoopoolError where the target's name has no address.
 * When `signal` aborts, no more are sent, those in flight count as interrupted, and the result says how many were sent.
 */
export async function run(options: LoadOptions, signal?: AbortSignal): Promise<RunResult> {
  const { target, rate = null, durationMs = null, bodySha256 = null } = options;
  const address = await addressOf(target);
  const requests = rate === null ? options.requests : scheduledRequests(options, rate);
  const tally = new Tally({ requests, byFirstByte: options.byFirstByte, bodySha256 });

  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  delay.enable();
  const cpuBefore = process.cpuUsage();
  const loopBefore = performance.eventLoopUtilization();
  const startedAt = new Date().toISOString();
  const startMs = performance.now();
  tally.series.start(startMs);

  const { servers, openLoop } = await runLanes(options, address, tally, startMs, signal);

  const endMs = performance.now();
  const elapsedMs = endMs - startMs;
  const cpu = process.cpuUsage(cpuBefore);
  const loop = performance.eventLoopUtilization(loopBefore);
  delay.disable();

  return {
    url: target.url,
    host: target.host,
    port: target.port,
    path: target.path,
    loop: rate === null ? "closed" : "open",
    ...(openLoop === null ? {} : { openLoop }),
    concurrency: options.concurrency,
    keepAlive: options.keepAlive,
    requested: Number.isFinite(requests) ? requests : tally.sent,
    ...(durationMs === null ? {} : { requestedSeconds: durationMs / 1000 }),
    sent: tally.sent,
    completed: tally.completed,
    errors: tally.errors,
    statusCounts: tally.statusCounts,
    keepAliveResponses: tally.keepAliveResponses,
    peakConnections: tally.peakConnections,
    serverSoftware: servers.find((server) => server !== "") ?? "",
    documentBytes: tally.documentBytes,
    ...(tally.bodySha256 === null ? {} : { bodySha256: tally.bodySha256 }),
    totalBytes: tally.totalBytes,
    bodyBytes: tally.bodyBytes,
    elapsedSeconds: elapsedMs / 1000,
    startedAt,
    latency: {
      connect: tally.connect.toStored(),
      processing: tally.processing.toStored(),
      waiting: tally.waiting.toStored(),
      total: tally.total.toStored(),
    },
    perSecond: tally.series.finish(endMs),
    totalByFirstByte: Object.fromEntries(
      Array.from(tally.totalByFirstByte, ([byte, total]) => [
        byte < 0 ? "" : String.fromCharCode(byte),
        total.toStored(),
      ]),
    ),
    generator: {
      cpuUserMicros: cpu.user,
      cpuSystemMicros: cpu.system,
      cpuShare: (cpu.user + cpu.system) / (elapsedMs * 1000),
      eventLoopUtilization: loop.utilization,
      // What it records is the time between two of its ticks, the planned interval included.
      eventLoopDelayMaxMs: Math.max(0, delay.max / 1e6 - DELAY_RESOLUTION_MS),
    },
  };
}

/** Requests whose intended time lies in the duration, at most `requests`: number k, from 0, is to be sent after k ÷ rate seconds. */
function scheduledRequests({ requests, durationMs = null }: LoadOptions, rate: number): number {
  if (durationMs === null) return requests;
  const product = (rate * durationMs) / 1000;
  // Less the rounding of the product.
  return Math.min(requests, Math.max(1, Math.ceil(product - product * 1e-12)));
}

interface LanesResult {
  /** What the responses of each lane named. */
  readonly servers: readonly string[];
  readonly openLoop: OpenLoopResult | null;
}

/** Resolves when every lane has found nothing more to send. */
function runLanes(
  options: LoadOptions,
  address: string,
  tally: Tally,
  startMs: number,
  signal: AbortSignal | undefined,
): Promise<LanesResult> {
  const { concurrency, timeoutMs, durationMs = null, rate = null } = options;
  const context = {
    options,
    address,
    tally,
    request: encodeRequest(options),
    readBuffer: Buffer.allocUnsafe(READ_BUFFER_BYTES),
  };
  return new Promise((resolve) => {
    let running = concurrency;
    const onClosed = (): void => {
      if (--running > 0) return;
      clearInterval(scan);
      signal?.removeEventListener("abort", stop);
      const openLoop = loop instanceof OpenLoop ? loop.toResult() : null;
      resolve({ servers: lanes.map(({ server }) => server), openLoop });
    };
    const loop =
      rate === null
        ? new ClosedLoop(tally, durationMs === null ? Number.POSITIVE_INFINITY : startMs + durationMs, onClosed)
        : new OpenLoop(tally, { rate, concurrency, timeoutMs }, onClosed);
    const lanes = Array.from({ length: concurrency }, () => new Lane(context, loop));
    const scanMs = Math.min(MAX_SCAN_MS, Math.max(MIN_SCAN_MS, timeoutMs / 20));
    const scan = setInterval(() => {
      const nowMs = performance.now();
      for (const lane of lanes) lane.checkTimeout(nowMs);
      loop.checkTimeout(nowMs);
    }, scanMs);
    const stop = (): void => {
      tally.stop();
      loop.stop();
      for (const lane of lanes) lane.interrupt();
    };
    if (signal?.aborted) tally.stop();
    signal?.addEventListener("abort", stop, { once: true });
    for (const lane of lanes) loop.free(lane, performance.now());
  });
}
