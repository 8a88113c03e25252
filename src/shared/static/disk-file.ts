import { createHash } from "node:crypto";
import { type BigIntStats, constants, existsSync } from "node:fs";
import { type FileHandle, lstat, open, readlink, realpath, stat } from "node:fs/promises";
import { type Coding, codingExtensions, codings } from "./codings.js";
import type { SiteRoot } from "./site-root.js";

/** No path has it, so that it can stand between a path and a coding. */
const NUL = "\0";
/** Not to wait for the writer of a FIFO, and not through a link that was put in the place of what was looked at. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
const ABSENT_CODES: readonly unknown[] = ["ENOENT", "ENOTDIR", "EACCES", "ENAMETOOLONG", "ELOOP", "EISDIR", "ENXIO"];
/** What was found a moment ago is no longer there, or is a link now. */
const MOVED_CODES: readonly unknown[] = ["ENOENT", "ENOTDIR", "ELOOP"];
/** Linux tells here where an open file lies (proc(5)); null: this system does not. */
const DESCRIPTORS = existsSync("/proc/self/fd") ? "/proc/self/fd" : null;
/** A path that leads elsewhere each time it is looked at is given up. */
const MAX_ATTEMPTS = 4;
/** Bytes that are read and hashed in one go. */
const PIECE_BYTES = 256 * 1024;

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
 * Opens the file that a key stands for; null where a link leads out of the root. Whatever is read of a site is opened here. The caller
 * closes it. Rejects with the system's error.
 *
 * A local writer may exchange any folder on the way for a link at any moment, and Node has no openat(2): so it is looked at where the open
 * file lies. Linux tells. Elsewhere the path is resolved again and must name the same file, which leaves a gap: a writer who exchanges the
 * folder twice between these look-ups is not noticed. `descriptors` is for tests.
 */
export async function openBelow(root: SiteRoot, key: string, descriptors = DESCRIPTORS): Promise<FileHandle | null> {
  const { file, coding } = partsOf(key);
  const path = coding === null ? file : file + codingExtensions[coding];
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const real = await realpath(path);
    if (!(await root.contains(real))) return null;
    const handle = await openUnlessMoved(real, attempt);
    if (handle === null) continue;
    try {
      const place =
        descriptors === null ? await placeByName(handle, path) : await readlink(`${descriptors}/${handle.fd}`);
      if (place !== null && (await root.contains(place))) return handle;
    } catch (error) {
      await handle.close();
      throw error;
    }
    await handle.close();
  }
  return null;
}

/** null: what was there is gone, and the path is to be looked at again. */
async function openUnlessMoved(real: string, attempt: number): Promise<FileHandle | null> {
  try {
    return await open(real, OPEN_FLAGS);
  } catch (error) {
    if (attempt === MAX_ATTEMPTS || !MOVED_CODES.includes((error as NodeJS.ErrnoException).code)) throw error;
    return null;
  }
}

/** Where a path leads to now, if that is the open file; null if it is another. */
async function placeByName(handle: FileHandle, path: string): Promise<string | null> {
  const opened = await handle.stat({ bigint: true });
  const real = await realpath(path);
  const named = await lstat(real, { bigint: true });
  return named.dev === opened.dev && named.ino === opened.ino ? real : null;
}

/** Whether the system says that there is nothing that could be served. */
export function isAbsence(error: unknown): boolean {
  return ABSENT_CODES.includes((error as NodeJS.ErrnoException).code);
}

/** Whether the process, or the system, has as many files open as it may. */
export function isExhaustion(error: unknown): boolean {
  return ["EMFILE", "ENFILE"].includes((error as NodeJS.ErrnoException).code ?? "");
}

/** Closes a file that was only read: a failure has nothing to say. */
export function closeQuietly(handle: FileHandle | undefined): void {
  handle?.close().catch(() => {});
}

/**
 * Tells one state of a file from another on this machine, also where length and time of change (mtime) were set to be the same: another
 * file has another inode, and nobody can set ctime.
 */
export function versionOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].map((part) => part.toString(36)).join("-");
}

/** Reads so many bytes from the start, or as many as there are, and hashes them: 128 bits of SHA-256 in base64url. */
export async function readStart(handle: FileHandle, bytes: number): Promise<{ body: Uint8Array; hash: string }> {
  const body = new Uint8Array(bytes);
  const hash = createHash("sha256");
  let filled = 0;
  while (filled < bytes) {
    const { bytesRead } = await handle.read(body, filled, Math.min(PIECE_BYTES, bytes - filled), filled);
    if (bytesRead === 0) break;
    hash.update(body.subarray(filled, filled + bytesRead));
    filled += bytesRead;
  }
  return { body: body.subarray(0, filled), hash: hash.digest().toString("base64url", 0, 16) };
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
