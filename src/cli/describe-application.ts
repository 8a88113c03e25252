import { fork } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { AppStyle } from "../shared/app-style.js";
import { usageError } from "../shared/errors.js";
import type { Answer, Asked, Described } from "./describe-application-child.js";

// Beside this file and with its extension, so that sources and build both work.
const childFile = fileURLToPath(new URL(`./describe-application-child${extname(import.meta.url)}`, import.meta.url));

const TIMEOUT_MS = 30_000;

/**
 * What a user's module is, and which paths it serves. It is imported in a process of its own, which ends with what the module has opened.
 * Throws a usage error that names the file and says what the module threw, where it cannot be used.
 */
export async function describeApplication(
  file: string,
  { style = null, envFile = null }: { readonly style?: AppStyle | null; readonly envFile?: string | null } = {},
): Promise<Described> {
  const asked: Asked = { file, style, envFile };
  const child = fork(childFile, [JSON.stringify(asked)], {
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    timeout: TIMEOUT_MS,
  });
  const answer = await new Promise<Answer>((resolve) => {
    child.once("message", (message) => resolve(message as Answer));
    child.once("error", ({ message }) => resolve({ error: `--handlers ${file} cannot be imported: ${message}` }));
    child.once("close", (code, signal) =>
      resolve({
        error: `--handlers ${file} cannot be imported: it ended its process (${signal ?? `exit code ${code}`})`,
      }),
    );
  });
  child.kill("SIGKILL");
  if ("error" in answer) throw usageError(answer.error);
  return answer.described;
}

/**
 * The path to measure where none was given: the only one there is, or the first page of an application that takes every path. Throws a usage
 * error that lists them where there are several, or none.
 */
export function pathToMeasure(file: string, { paths }: Described): string {
  if (paths === null) return "/";
  const [only] = paths;
  if (only === undefined) throw usageError(`--handlers ${file} has no handler: nothing of it can be measured`);
  if (paths.length > 1) {
    throw usageError(
      `--handlers ${file} needs a --path to measure: it has ${paths.map((path) => JSON.stringify(path)).join(", ")}`,
    );
  }
  return only;
}
