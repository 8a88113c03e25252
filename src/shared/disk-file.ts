import { constants } from "node:fs";
import { type FileHandle, open, realpath, stat } from "node:fs/promises";
import { type Coding, codingExtensions, codings } from "./handlers/codings.js";

/** No path has it, so that it can stand between a path and a coding. */
const NUL = "\0";
/** Not to wait for the writer of a FIFO, and not through a link that was put in the place of what was looked at. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
const ABSENT_CODES: readonly unknown[] = ["ENOENT", "ENOTDIR", "EACCES", "ENAMETOOLONG", "ELOOP", "EISDIR", "ENXIO"];

/** What a file is asked for by: its absolute path, for another file in a coding beside it with the coding. */
export function keyOf(file: string, coding: Coding | null): string {
  return coding === null ? file : `${file}${NUL}${coding}`;
}

/** What a key stands for. */
export function partsOf(key: string): { readonly file: string; readonly coding: Coding | null } {
  const [file = "", coding = null] = key.split(NUL) as [string, Coding?];
  return { file, coding };
}

/**
 * Opens the file that a key stands for; null where a link leads out of the folder, which ends with a slash. The caller closes it. Rejects
 * with the system's error.
 */
export async function openBelow(folder: string, key: string): Promise<{ handle: FileHandle; real: string } | null> {
  const { file, coding } = partsOf(key);
  const real = await realpath(coding === null ? file : file + codingExtensions[coding]);
  if (!`${real}/`.startsWith(folder)) return null;
  return { handle: await open(real, OPEN_FLAGS), real };
}

/** Whether the system says that there is nothing that could be served. */
export function isAbsence(error: unknown): boolean {
  return ABSENT_CODES.includes((error as NodeJS.ErrnoException).code);
}

/** Reads so many bytes from the start, or as many as there are. */
export async function readStart(handle: FileHandle, bytes: number): Promise<Uint8Array> {
  const body = new Uint8Array(bytes);
  let filled = 0;
  while (filled < bytes) {
    const { bytesRead } = await handle.read(body, filled, bytes - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return body.subarray(0, filled);
}

/** In which codings a file lies beside itself. */
export async function codingsBeside(file: string): Promise<readonly Coding[]> {
  const isThere = await Promise.all(
    codings.map((coding) =>
      stat(file + codingExtensions[coding]).then(
        (found) => found.isFile(),
        () => false,
      ),
    ),
  );
  return codings.filter((_, i) => isThere[i]);
}
