import type { LoadOptions } from "../request/options.js";
import type { RunResult } from "../result/run-result.js";

/** What sends requests: this thread, several of them, or another tool. Runs follow one another; what V8 has compiled in one serves the next. */
export interface Generator<Result = RunResult> {
  /** Lets V8 compile the generator in all its threads; the target sees none of it. */
  warmUp(options: LoadOptions, signal?: AbortSignal): Promise<void>;
  /** One run, as `run` of run.ts; throws a LoopoolError, too, where a thread ends before its time. */
  run(options: LoadOptions, signal?: AbortSignal): Promise<Result>;
  /** Ends its threads, whatever they do. */
  close(): Promise<void>;
}
