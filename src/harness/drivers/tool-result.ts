import { type ErrorClass, errorClasses, noErrors } from "../load/result/run-result.js";
import type { DriverOptions } from "./driver.js";
import type { EndedTool } from "./process.js";
import type { ToolResult } from "./result.js";

/** In a shorter window a CPU time of 10 ms' grain says nothing of a share. */
const SHORTEST_SECONDS = 0.2;

/** What a tool's report says; what it does not say is left out. */
export interface Told
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

/** The whole result: what the tool told, what was asked of it, and what it cost. */
export function toolResult(options: DriverOptions, told: Told, around: Circumstances): ToolResult {
  const { target, durationMs = null } = options;
  const { ended, startedAt, ...account } = around;
  const errors = { ...noErrors(), ...told.errors };
  const sent = errorClasses.reduce((sum, name) => sum + errors[name], told.completed);
  const cpu = ended.cpuOfLast(told.elapsedSeconds);
  return {
    tool: { ...account, command: ended.command },
    url: target.url,
    host: target.host,
    port: target.port,
    path: target.path,
    loop: "closed",
    concurrency: options.concurrency,
    keepAlive: options.keepAlive,
    requested: Number.isFinite(options.requests) ? options.requests : sent,
    ...(durationMs === null ? {} : { requestedSeconds: durationMs / 1000 }),
    sent,
    completed: told.completed,
    errors,
    statusCounts: told.statusCounts ?? null,
    keepAliveResponses: told.keepAliveResponses ?? null,
    peakConnections: null,
    serverSoftware: told.serverSoftware ?? null,
    documentBytes: told.documentBytes ?? null,
    totalBytes: told.totalBytes ?? null,
    bodyBytes: told.bodyBytes ?? null,
    elapsedSeconds: told.elapsedSeconds,
    startedAt,
    latency: { connect: null, processing: null, waiting: null, total: null, ...told.latency },
    totalByFirstByte: {},
    generator: {
      cpuUserMicros: cpu?.userMicros ?? null,
      cpuSystemMicros: cpu?.systemMicros ?? null,
      cpuShare:
        cpu === null || told.elapsedSeconds < SHORTEST_SECONDS
          ? null
          : (cpu.userMicros + cpu.systemMicros) / 1e6 / told.elapsedSeconds,
      eventLoopUtilization: null,
      eventLoopDelayMaxMs: null,
    },
  };
}
