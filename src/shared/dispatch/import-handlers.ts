import type { Application } from "../../app/application.js";
import type { AppStyle } from "../app-style.js";
import { LoopoolError, messageOf, usageError } from "../errors.js";
import type { Handler } from "../handlers/handler.js";
import { handlerOf } from "./check-handler.js";

/** A module may connect to something first, at top level; one that takes longer is taken for stuck. */
const IMPORT_TIMEOUT_MS = 30_000;

/** What a user's module brings. */
export interface OwnHandlers {
  readonly byPath: Readonly<Record<string, Handler>>;
  /** An application that takes every other path, in place of the files; null: none. */
  readonly fallback: Handler | null;
  /** The module itself; null: there is none. */
  readonly application: Application | null;
}

export const NO_HANDLERS: OwnHandlers = { byPath: {}, fallback: null, application: null };

/** How a module is to be taken. */
export interface ImportOptions {
  /** null: for what it looks like. */
  readonly style: AppStyle | null;
  readonly scheme: "http" | "https";
  readonly timeoutMs: number;
}

const defaults: ImportOptions = { style: null, scheme: "http", timeoutMs: IMPORT_TIMEOUT_MS };

/**
 * The handlers of a user's module: an application, or functions by path (`handlers`). `file` is an absolute path. Throws a usage error, in one
 * line, that names the file.
 */
export async function importHandlers(file: string, options: Partial<ImportOptions> = {}): Promise<OwnHandlers> {
  const wrong = (what: string): LoopoolError => usageError(`--handlers ${file}${what}`);
  // What loads modules is loaded where there is one.
  const { loadApplication, whyNotLoaded } = await import("../../app/application.js");
  try {
    const application = await loadApplication({ ...defaults, ...options, file });
    const { serves } = application;
    if ("all" in serves) return { byPath: {}, fallback: serves.all, application };
    return { byPath: checked(serves.byPath, wrong), fallback: null, application };
  } catch (error) {
    if (error instanceof LoopoolError) throw error;
    throw wrong(whyNotLoaded(error, file));
  }
}

function checked(handlers: unknown, wrong: (what: string) => LoopoolError): Readonly<Record<string, Handler>> {
  const entries: [string, unknown][] =
    typeof handlers === "object" && handlers !== null ? Object.entries(handlers) : [];
  if (entries.length === 0) throw wrong(' must export an object "handlers" with a function for each path');
  const byPath = entries.map(([path, given]): [string, Handler] => {
    if (!path.startsWith("/")) throw wrong(`: the path "${path}" must start with "/"`);
    try {
      return [path, handlerOf(given)];
    } catch (error) {
      throw wrong(`: the handler of "${path}" ${messageOf(error)}`);
    }
  });
  return Object.fromEntries(byPath);
}
