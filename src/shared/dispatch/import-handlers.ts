import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { type LoopoolError, usageError } from "../errors.js";
import type { Handler } from "../handlers/handler.js";
import { handlerOf } from "./check-handler.js";

/** A module may connect to something first, at top level; one that takes longer is taken for stuck. */
const IMPORT_TIMEOUT_MS = 30_000;

/** What a user's module brings. */
export interface OwnHandlers {
  readonly byPath: Readonly<Record<string, Handler>>;
  /** An application that takes every other path, in place of the files; null: none. */
  readonly fallback: Handler | null;
}

/**
 * Handlers by path from a user's module, ESM (`export const handlers = { "/path": handler }`) or CommonJS
 * (`module.exports = { handlers }`). `file` is a path. Throws a usage error, in one line, that names the file.
 */
export async function importHandlers(file: string, timeoutMs = IMPORT_TIMEOUT_MS): Promise<OwnHandlers> {
  const wrong = (what: string): LoopoolError => usageError(`--handlers ${file}${what}`);
  let entries: [string, unknown][];
  try {
    const handlers = exported(await inTime(import(pathToFileURL(file).href), timeoutMs));
    entries = typeof handlers === "object" && handlers !== null ? Object.entries(handlers) : [];
  } catch (error) {
    throw wrong(` cannot be imported: ${inOneLine(error)}`);
  }
  if (entries.length === 0) throw wrong(' must export an object "handlers" with a function for each path');
  const byPath = entries.map(([path, given]): [string, Handler] => {
    if (!path.startsWith("/")) throw wrong(`: the path "${path}" must start with "/"`);
    try {
      return [path, handlerOf(given)];
    } catch (error) {
      throw wrong(`: the handler of "${path}" ${inOneLine(error)}`);
    }
  });
  return { byPath: Object.fromEntries(byPath), fallback: null };
}

/** Node finds the names of a CommonJS module's exports by reading its text; what it does not find is in `default` alone. */
function exported(module: { readonly handlers?: unknown; readonly default?: unknown }): unknown {
  return module.handlers ?? (module.default as { readonly handlers?: unknown } | null | undefined)?.handlers;
}

/** The timer also keeps this thread alive: without it, Node ends one in which nothing else is left to wait for. */
async function inTime<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `it was not loaded after ${timeoutMs / 1000} s: does an "await" at its top level never end?`;
    timer = setTimeout(() => reject(new Error(message)), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What a module throws is anything at all, and a message may have a stack of modules below its first line. */
function inOneLine(thrown: unknown): string {
  try {
    const text = thrown instanceof Error ? String(thrown.message) : inspect(thrown, { breakLength: Infinity });
    return text.replace(/\s+/g, " ").trim();
  } catch {
    return "it threw something that cannot be printed";
  }
}
