import { monitorEventLoopDelay } from "node:perf_hooks";
import { addressOf } from "./address.js";
import { Lane } from "./lane.js";
import { encodeRequest, type LoadOptions } from "./options.js";
import type { RunResult } from "./run-result.js";
import { Tally } from "./tally.js";

const READ_BUFFER_BYTES = 64 * 1024;
const DELAY_RESOLUTION_MS = 10;
/** How often connections are looked over for requests that take too long: a timer per request would cost more than the request. */
const MIN_SCAN_MS = 5;
const MAX_SCAN_MS = 500;

/**
 * Sends `requests` requests over `concurrency` connections in a closed loop and accounts for every one of them.
 * Throws a LoopoolError where the target's name has no address.
 * When `signal` aborts, no more are sent, those in flight count as interrupted, and the result says how many were sent.
 */
export async function run(options: LoadOptions, signal?: AbortSignal): Promise<RunResult> {
  const address = await addressOf(options.target);
  const tally = new Tally(options.requests, options.byFirstByte);

  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  delay.enable();
  const cpuBefore = process.cpuUsage();
  const loopBefore = performance.eventLoopUtilization();
  const startedAt = new Date().toISOString();
  const startMs = performance.now();

  const lanes = await runLanes(options, address, tally, signal);

  const elapsedMs = performance.now() - startMs;
  const cpu = process.cpuUsage(cpuBefore);
  const loop = performance.eventLoopUtilization(loopBefore);
  delay.disable();

  const { target } = options;
  return {
    url: target.url,
    host: target.host,
    port: target.port,
    path: target.path,
    loop: "closed",
    concurrency: options.concurrency,
    keepAlive: options.keepAlive,
    requested: options.requests,
    sent: tally.sent,
    completed: tally.completed,
    errors: tally.errors,
    statusCounts: tally.statusCounts,
    keepAliveResponses: tally.keepAliveResponses,
    peakConnections: tally.peakConnections,
    serverSoftware: lanes.find(({ server }) => server !== "")?.server ?? "",
    documentBytes: tally.documentBytes,
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

/** Resolves when every lane has found nothing more to send. */
function runLanes(
  options: LoadOptions,
  address: string,
  tally: Tally,
  signal: AbortSignal | undefined,
): Promise<readonly Lane[]> {
  return new Promise((resolve) => {
    let running = options.concurrency;
    const context = {
      options,
      address,
      tally,
      request: encodeRequest(options),
      readBuffer: Buffer.allocUnsafe(READ_BUFFER_BYTES),
      onDone: () => {
        if (--running > 0) return;
        clearInterval(scan);
        signal?.removeEventListener("abort", stop);
        resolve(lanes);
      },
    };
    const lanes = Array.from({ length: options.concurrency }, () => new Lane(context));
    const scanMs = Math.min(MAX_SCAN_MS, Math.max(MIN_SCAN_MS, options.timeoutMs / 20));
    const scan = setInterval(() => {
      const nowMs = performance.now();
      for (const lane of lanes) lane.checkTimeout(nowMs);
    }, scanMs);
    const stop = (): void => {
      tally.stop();
      for (const lane of lanes) lane.interrupt();
    };
    if (signal?.aborted) tally.stop();
    signal?.addEventListener("abort", stop, { once: true });
    for (const lane of lanes) lane.open();
  });
}
