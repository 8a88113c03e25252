import { statSync } from "node:fs";
import { extname } from "node:path";
import { pathToFileURL } from "node:url";
import { failureText } from "./failure-text.js";
import { inTime } from "./life-cycle.js";

/** What only a compiler takes. */
const COMPILED: ReadonlySet<string> = new Set([".ts", ".tsx", ".mts", ".cts", ".jsx"]);

/** A module could not be had. The message continues the name of its file, in one line. */
export class ImportFailure extends Error {}

/**
 * A user's module, in this thread: what Node can import by itself it imports, TypeScript and JSX are compiled on the way. On every Node the same,
 * also where it could strip types by itself: it leaves enums, decorators and paths. Throws ImportFailure.
 */
export async function importModule(file: string, timeoutMs: number): Promise<unknown> {
  checkFile(file);
  try {
    const late = `it was not loaded after ${timeoutMs / 1000} s: does an "await" at its top level never end?`;
    return await inTime(COMPILED.has(extname(file)) ? compiled(file) : plain(file), timeoutMs, late);
  } catch (error) {
    throw new ImportFailure(` cannot be imported: ${failureText(error, file)}`);
  }
}

function checkFile(file: string): void {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) throw new ImportFailure(" cannot be imported: there is no such file");
  if (!found.isFile()) throw new ImportFailure(" cannot be imported: it is no file: name a module in it");
}

async function plain(file: string): Promise<unknown> {
  try {
    return await import(pathToFileURL(file).href);
  } catch (error) {
    // It imports a file that is TypeScript: nothing of either has run.
    if ((error as NodeJS.ErrnoException | null)?.code !== "ERR_UNKNOWN_FILE_EXTENSION") throw error;
    return await compiled(file);
  }
}

async function compiled(file: string): Promise<unknown> {
  return (await import("./typescript.js")).importTypeScript(file);
}
