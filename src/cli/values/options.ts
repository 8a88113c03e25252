import type { Argv } from "yargs";
import { usageError } from "../../shared/errors.js";

/** What a report of a sweep consists of, for --help. */
export const reportFiles =
  "A report is <name>.md and a folder <name> with report.html (all charts in one file that loads nothing), report.json, trials.csv " +
  "(a row for each trial), throughput.svg, latency.svg, and for each core and concurrency the latencies as HdrHistogram's tools " +
  "read them (.hgrm). Of two results it is <a>-to-<b>.md and change.json. The package's folder schemas describes each JSON file.";

/**
 * Values as yargs hands them over, checked once, here, at the edge. Each function takes the flag's name and the raw value
 * and returns the value or throws a usage error that names the flag and what is allowed.
 */

/** Flags that take a value, for yargs: kept as text, since "0" may be a CPU and "007" a name. */
export function withValues(options: Readonly<Record<string, { readonly describe: string; readonly alias?: string }>>) {
  return Object.fromEntries(
    Object.entries(options).map(([name, option]) => [name, { ...option, type: "string", requiresArg: true } as const]),
  );
}

/** A flag given twice reaches us as an array: refuse it rather than guess which one was meant. */
function single(flag: string, value: unknown): unknown {
  if (Array.isArray(value)) throw usageError(`--${flag} was given ${value.length} times: give it once`);
  return value;
}

/** A whole number in [min, max]. */
export function wholeNumber(flag: string, raw: unknown, min: number, max: number): number {
  const value = single(flag, raw);
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof number === "number" && Number.isInteger(number) && number >= min && number <= max) return number;
  throw usageError(`--${flag} must be a whole number from ${min} to ${max}, not "${String(value)}"`);
}

/** A number in [min, max], a fraction or not. */
export function number(flag: string, raw: unknown, min: number, max: number): number {
  const value = single(flag, raw);
  const found = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof found === "number" && found >= min && found <= max) return found;
  throw usageError(`--${flag} must be a number from ${min} to ${max}, not "${String(value)}"`);
}

/** One of a closed set of words. */
export function oneOf<const T extends string>(flag: string, raw: unknown, allowed: readonly T[]): T {
  const value = single(flag, raw);
  const found = allowed.find((word) => word === value);
  if (found === undefined) throw usageError(`--${flag} must be one of ${allowed.join(", ")}, not "${String(value)}"`);
  return found;
}

/** A text that is not empty. */
export function text(flag: string, raw: unknown): string {
  const value = single(flag, raw);
  if (typeof value === "string" && value !== "") return value;
  throw usageError(`--${flag} needs a value`);
}

/** A comma-separated list without repetitions; every item is checked by `item`. */
export function listOf<T>(flag: string, raw: unknown, item: (flag: string, raw: unknown) => T): readonly T[] {
  const value = single(flag, raw);
  const items = String(value)
    .split(",")
    .map((part) => item(flag, part.trim()));
  if (new Set(items).size !== items.length) throw usageError(`--${flag} names a value twice: "${String(value)}"`);
  return items;
}

/** The positional argument of commands that serve a user's application. */
export function withApplicationArgument(yargs: Argv): Argv {
  return yargs.positional("app", { describe: "your application, as --handlers names it", type: "string" });
}

/** The flags, with the application that was given as an argument as `--handlers`. Throws a usage error for both. */
export function withApplication<T extends Readonly<Record<string, unknown>>>(argv: T): T {
  const { app, ...flags } = argv;
  if (app === undefined) return argv;
  if (argv["handlers"] !== undefined) {
    throw usageError(`"${String(app)}" and --handlers are two applications: leave one out`);
  }
  return { ...flags, handlers: app } as unknown as T;
}
