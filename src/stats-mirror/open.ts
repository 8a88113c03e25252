import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { crc32 } from "node:zlib";
import { LoopoolError, messageOf } from "../shared/errors.js";
import { HEAD_BYTES, MAGIC, MAX_DESCRIPTION_BYTES, MAX_FILE_BYTES } from "./format.js";
import { isIdentity, type ProcessIdentity } from "./process-identity.js";

/**
 * A mirror's file, opened. Everybody may write to the folder, so nothing in it is believed before it was looked at: not what kind of file it
 * is, not its size, not one field.
 */
export interface OpenMirror {
  readonly file: number;
  readonly stat: Stats;
  readonly version: number;
  /** Where the state starts, bytes. */
  readonly stateStart: number;
  readonly holder: ProcessIdentity;
  /** What the description says beside the holder: parsed, and nothing more. */
  readonly description: unknown;
}

/**
 * Opens the file at `path`, hands what all versions have in common to `use`, and closes it. null without a file. Throws MIRROR_FOREIGN for
 * what is no mirror. Never waits, whatever is there: a pipe is not waited for, a link is not followed, a huge file is not read.
 */
export function withMirror<T>(path: string, use: (mirror: OpenMirror) => T): T | null {
  const file = openOrNull(path);
  if (file === null) return null;
  try {
    return use(readHead(file, path));
  } finally {
    closeSync(file);
  }
}

export function foreignMirror(path: string): LoopoolError {
  return new LoopoolError(
    "MIRROR_FOREIGN",
    `${path} is no mirror of loopool's stats: remove it, or let the server listen elsewhere`,
  );
}

function openOrNull(path: string): number | null {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return null;
    // What open(2) says of a link with O_NOFOLLOW, and of a socket.
    if (code === "ELOOP" || code === "ENXIO") throw foreignMirror(path);
    throw new LoopoolError("MIRROR_FOREIGN", `${path} cannot be opened: ${messageOf(error)}`);
  }
}

/** It was complete before the file had its name, and nobody writes it again: what does not fit together is no mirror. */
function readHead(file: number, path: string): OpenMirror {
  const stat = fstatSync(file);
  if (!stat.isFile() || stat.size < HEAD_BYTES || stat.size > MAX_FILE_BYTES) throw foreignMirror(path);
  const head = readAt(file, 0, HEAD_BYTES);
  if (head.byteLength < HEAD_BYTES || !head.subarray(0, MAGIC.byteLength).equals(MAGIC)) throw foreignMirror(path);
  const bytes = head.readUInt32LE(12);
  const stateStart = head.readUInt32LE(20);
  const lowest = HEAD_BYTES + bytes;
  if (bytes > MAX_DESCRIPTION_BYTES || stateStart % 8 !== 0 || stateStart < lowest || stateStart >= lowest + 8) {
    throw foreignMirror(path);
  }
  const json = readAt(file, HEAD_BYTES, bytes);
  if (crc32(json) !== head.readUInt32LE(16)) throw foreignMirror(path);
  const description = jsonOrNull(json.toString());
  if (!isIdentity(description)) throw foreignMirror(path);
  return { file, stat, version: head.readUInt32LE(8), stateStart, holder: description, description };
}

/** null for what is not JSON, too. */
export function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Fewer bytes where the file ends before. */
export function readAt(file: number, position: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  let filled = 0;
  while (filled < bytes) {
    const read = readSync(file, buffer, filled, bytes - filled, position + filled);
    if (read === 0) break;
    filled += read;
  }
  return buffer.subarray(0, filled);
}
