import { type ErrorClass, errorClasses, noErrors } from "../load/result/run-result.js";
import type { DriverOptions } from "./driver.js";
import type { EndedTool } from "./process.js";
import { requestOf } from "./request.js";
import type { ToolResult } from "./result.js";

/** In a shorter window a CPU time of 10 ms' grain says nothing of a share. */
const SHORTEST_SECONDS = 0.2;

/** What a tool's report says; what it does not say is left out. */
export interface Reported
  extends Pick<ToolResult, "completed" | "elapsedSeconds">,
    Partial<
      Pick<
        ToolResult,
        "statusCounts" | "keepAliveResponses" | "serverSoftware" | "documentBytes" | "totalBytes" | "bodyBytes"
      >
    > {
  readonly errors: Partial<Record<ErrorClass, number>>;
  readonly latency: Partial<ToolResult["latency"]>;
}

/** Beside the report. */
interface Circumstances {
  readonly name: string;
  readonly version: string;
  readonly startedAt: string;
  readonly ended: EndedTool;
  /** The tool's own report: `ended.output` may hold more. */
  readonly output: string;
  readonly caveats: readonly string[];
  readonly uncountedAtMost: number;
}

/** The whole result: what the tool reported, what was asked of it, and what it cost. */
export function toolResult(options: DriverOptions, reported: Reported, around: Circumstances): ToolResult {
  const { target, durationMs = null } = options;
  const { ended, startedAt, ...accounting } = around;
  const request = requestOf(options);
  const errors = { ...noErrors(), ...reported.errors };
  const sent = errorClasses.reduce((sum, name) => sum + errors[name], reported.completed);
  const cpu = ended.cpuOfLast(reported.elapsedSeconds);
  return {
    tool: { ...accounting, command: ended.command },
    url: target.url,
    host: target.host,
    port: target.port,
    path: target.path,
    method: request.method,
    ...(request.body === null ? {} : { requestBodyBytes: request.body.length }),
    loop: "closed",
    concurrency: options.concurrency,
    keepAlive: options.keepAlive,
    requested: Number.isFinite(options.requests) ? options.requests : sent,
    ...(durationMs === null ? {} : { requestedSeconds: durationMs / 1000 }),
    sent,
    completed: reported.completed,
    errors,
    statusCounts: reported.statusCounts ?? null,
    keepAliveResponses: reported.keepAliveResponses ?? null,
    peakConnections: null,
    serverSoftware: reported.serverSoftware ?? null,
    documentBytes: reported.documentBytes ?? null,
    totalBytes: reported.totalBytes ?? null,
    bodyBytes: reported.bodyBytes ?? null,
    elapsedSeconds: reported.elapsedSeconds,
    startedAt,
    latency: { connect: null, processing: null, waiting: null, total: null, ...reported.latency },
    totalByFirstByte: {},
    generator: {
      cpuUserMicros: cpu?.userMicros ?? null,
      cpuSystemMicros: cpu?.systemMicros ?? null,
      cpuShare:
        cpu === null || reported.elapsedSeconds < SHORTEST_SECONDS
          ? null
          : (cpu.userMicros + cpu.systemMicros) / 1e6 / reported.elapsedSeconds,
      eventLoopUtilization: null,
      eventLoopDelayMaxMs: null,
    },
  };
}
