import type { LoadOptions } from "../load/request/options.js";
import type { ToolResult } from "./result.js";

/** What a tool is asked for: the part of our own generator's options that some of them can honour. */
export interface DriverOptions
  extends Pick<
    LoadOptions,
    | "target"
    | "requests"
    | "durationMs"
    | "concurrency"
    | "keepAlive"
    | "timeoutMs"
    | "headers"
    | "kinds"
    | "variableLength"
  > {
  /** Threads of the tool that send; absent: 1. */
  readonly threads?: number;
  /** CPUs that the tool may use, in taskset's list form; absent or null: those of this process. */
  readonly cpus?: string | null;
}

/** What a tool can do. What none of them can (an open loop, bodies by hash, a local address) is not asked here. */
export interface Capabilities {
  /** Stops after a number of requests (--requests), after a time (--duration), or after whichever comes first. */
  readonly ends: readonly ("requests" | "duration" | "either")[];
  /** Durations are multiples of this. */
  readonly durationStepMs: number;
  readonly timeoutStepMs: number;
  /** Can make a new connection for every request (--no-keep-alive). */
  readonly newConnections: boolean;
  /** Can send from more than one thread. */
  readonly threads: boolean;
  /** Methods of requests without a body, and of those with one. */
  readonly methods: "all" | readonly string[];
  readonly bodies: "all" | readonly string[];
  /** A body may hold any bytes; else it must be text in UTF-8. */
  readonly binaryBodies: boolean;
}

/** Another load generator, run as a process of its own, and its report as a result of ours. */
export interface Driver {
  /** What users call it, and --driver. */
  readonly name: string;
  readonly capabilities: Capabilities;
  /** What its figures are known to misreport, whatever it is asked; a result adds to these what it found. */
  readonly caveats: readonly string[];
  /** Of the tool that is installed. Throws a LoopoolError that says how to install it where it is not. */
  version(): Promise<string>;
  /**
   * Runs it once; a warm-up is a run of its own whose result is thrown away. The options must be within the capabilities
   * (`checkDriverOptions`). Throws a LoopoolError when the tool is missing, fails without a report, or is ended by `signal`.
   */
  run(options: DriverOptions, signal?: AbortSignal): Promise<ToolResult>;
}
