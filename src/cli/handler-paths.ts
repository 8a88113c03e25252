import { fork } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { usageError } from "../shared/errors.js";
import type { HandlerPaths } from "./handler-paths-child.js";

// Beside this file and with its extension, so that sources and build both work.
const childFile = fileURLToPath(new URL(`./handler-paths-child${extname(import.meta.url)}`, import.meta.url));

const TIMEOUT_MS = 30_000;

/**
 * The paths that a user's module has handlers for. It is imported in a process of its own, which ends with what the module has opened.
 * Throws a usage error that names the file where it cannot be imported.
 */
export async function handlerPaths(file: string): Promise<readonly string[]> {
  const child = fork(childFile, [file], { stdio: ["ignore", "ignore", "ignore", "ipc"], timeout: TIMEOUT_MS });
  const found = await new Promise<HandlerPaths>((resolve) => {
    child.once("message", (message) => resolve(message as HandlerPaths));
    child.once("error", ({ message }) => resolve({ error: `--handlers ${file} cannot be imported: ${message}` }));
    child.once("close", (code, signal) =>
      resolve({
        error: `--handlers ${file} cannot be imported: it ended its process (${signal ?? `exit code ${code}`})`,
      }),
    );
  });
  child.kill("SIGKILL");
  if ("error" in found) throw usageError(found.error);
  return found.paths;
}

/** The path to measure where none was given: the only one there is. Throws a usage error that lists them where there are several, or none. */
export async function onlyPathOf(file: string): Promise<string> {
  const paths = await handlerPaths(file);
  const [only] = paths;
  if (only === undefined) throw usageError(`--handlers ${file} has no handler: nothing of it can be measured`);
  if (paths.length > 1) {
    throw usageError(
      `--handlers ${file} needs a --path to measure: it has ${paths.map((path) => JSON.stringify(path)).join(", ")}`,
    );
  }
  return only;
}
