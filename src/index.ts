/**
 * loopool as a library. It installs no handlers of signals, rejections or exceptions, never ends the process, and prints nothing unless asked.
 * Each function is loaded when it is called. All throw a LoopoolError: `code` "USAGE" for an option that cannot be used, whose message names
 * it and what is allowed.
 */
import type {
  LoadOptions,
  LoadResult,
  Report,
  ReportOptions,
  ServeOptions,
  Server,
  SweepOptions,
  SweepOutcome,
} from "./library/types.js";

export type * from "./library/types.js";
export { LoopoolError } from "./shared/errors.js";

/** Serves until `stop()` is called; several servers can run in one process. Rejects where it cannot listen. */
export async function serve(options: ServeOptions = {}): Promise<Server> {
  return await (await import("./library/serve.js")).serve(options);
}

/**
 * Sends requests to an http URL and accounts for each of them. Failed requests are in the result, by their class: the promise does not reject
 * for them.
 */
export async function load(url: string, options: LoadOptions = {}): Promise<LoadResult> {
  return await (await import("./library/load.js")).load(url, options);
}

/**
 * Compares the cores over several concurrencies, each trial against a fresh server in a process of its own, and stores the result after each.
 * Rejects with the signal's reason when that aborts.
 */
export async function sweep(options: SweepOptions = {}): Promise<SweepOutcome> {
  return await (await import("./library/sweep.js")).sweep(options);
}

/** Writes the report of a stored sweep. */
export async function report(file: string, options: ReportOptions = {}): Promise<Report> {
  return await (await import("./library/report.js")).report(file, options);
}
