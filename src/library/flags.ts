import { LoopoolError, usageError } from "../shared/errors.js";

/**
 * The options of the library are the flags of the command line in camelCase: they are checked by the same rules, and a message names the option
 * where the command line's names the flag.
 */

/** How an option becomes a flag's value. */
type Kind =
  /** As it is: numbers and texts. */
  | "value"
  /** true or false. */
  | "boolean"
  /** true or false, of a setting that is "on" or "off". */
  | "switch"
  /** An array, or one value: with commas. */
  | "list";

/** Options by name. */
export type Kinds<T> = Readonly<Record<keyof T & string, Kind>>;

/** "cache-bytes" of "cacheBytes". */
export function flagOf(option: string): string {
  return option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/**
 * The flags that the options stand for, in both spellings, as the command line has them. Throws a usage error that names the option, for one
 * that there is not and for a value of the wrong kind. `name` is the function's.
 */
export function flagsOf<T extends object>(name: string, options: T, kinds: Kinds<T>): Record<string, unknown> {
  if (typeof options !== "object" || options === null) throw usageError(`${name}() takes an object with its options`);
  const flags: Record<string, unknown> = {};
  for (const [option, value] of Object.entries(options)) {
    if (!Object.hasOwn(kinds, option)) {
      throw usageError(`${name}() has no option "${option}"; it has ${Object.keys(kinds).join(", ")}`);
    }
    if (value === undefined) continue;
    flags[option] = flagValue(option, value, kinds[option as keyof T & string]);
    flags[flagOf(option)] = flags[option];
  }
  return flags;
}

function flagValue(option: string, value: unknown, kind: Kind): unknown {
  if (kind === "value") return value;
  if (kind === "list") return [value].flat().join(",");
  if (typeof value !== "boolean") throw usageError(`${option} must be true or false, not "${String(value)}"`);
  return kind === "boolean" ? value : value ? "on" : "off";
}

/** Runs something that checks flags; a LoopoolError that names flags is thrown with the options' names. */
export async function inOptionNames<T>(kinds: Readonly<Record<string, Kind>>, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof LoopoolError)) throw error;
    const names = new Map(Object.keys(kinds).map((option) => [flagOf(option), option]));
    const message = error.message
      .replaceAll("--no-keep-alive", "keepAlive: false")
      .replace(/--([a-z][a-z0-9-]*)/g, (flag, name: string) => names.get(name) ?? flag);
    throw new LoopoolError(error.code, message, error.exitCode, { cause: error });
  }
}
