import { closeSync, fstatSync, linkSync, openSync, rmSync, type Stats, writeSync } from "node:fs";
import { LoopoolError, messageOf } from "../shared/errors.js";
import { encodeDescription, encodeState, type MirrorDescription, type MirrorState } from "./format.js";
import { removeIfSame, removeLeftovers, scratchPath } from "./leftovers.js";
import { stateOf } from "./process-identity.js";
import { readHolder } from "./reader.js";

/** Writes all bytes at a place in a file; a test's may stop anywhere in between. */
export type WriteAt = (file: number, bytes: Uint8Array, position: number) => void;

const OWNER_WRITES_ALL_READ = 0o644;
const MAX_ATTEMPTS = 10;

/** The one writer of a mirror (format.ts says in which order it writes). All of it is synchronous. */
export class MirrorWriter {
  readonly #path: string;
  readonly #file: number;
  readonly #stateStart: number;
  readonly #writeAt: WriteAt;
  /** Even: of the last whole state. */
  #sequence = 0;

  /**
   * Makes the file, complete with a first state, before it gets its name: a reader finds all of it or none. What servers that have ended
   * left in the folder is removed. Throws a LoopoolError: MIRROR_TAKEN when another server writes there, MIRROR_FOREIGN when something
   * else has the name, MIRROR_REFUSED when the system does not allow it.
   */
  static create(path: string, description: MirrorDescription, first: MirrorState, writeAt = writeFully): MirrorWriter {
    let scratch: string | undefined;
    let file: number | undefined;
    try {
      removeLeftovers(path);
      // A name that nobody can take before us, and exclusively: in a folder that everyone may write to, no link is to be followed.
      scratch = scratchPath(path, description);
      file = openSync(scratch, "wx", OWNER_WRITES_ALL_READ);
      const head = encodeDescription(description);
      writeAt(file, head, 0);
      const writer = new MirrorWriter(path, file, head.byteLength, writeAt);
      writer.write(first);
      takeName(scratch, path);
      return writer;
    } catch (error) {
      if (file !== undefined) closeSync(file);
      if (error instanceof LoopoolError) throw error;
      throw new LoopoolError("MIRROR_REFUSED", `the stats cannot be mirrored to ${path}: ${messageOf(error)}`);
    } finally {
      if (file !== undefined && scratch !== undefined) rmSync(scratch, { force: true });
    }
  }

  private constructor(path: string, file: number, stateStart: number, writeAt: WriteAt) {
    this.#path = path;
    this.#file = file;
    this.#stateStart = stateStart;
    this.#writeAt = writeAt;
  }

  /** Replaces the state. Throws what the file system throws; the state is then not whole, until the next call succeeds. */
  write(state: MirrorState): void {
    const bytes = encodeState(this.#sequence + 2, state);
    const odd = Buffer.alloc(8);
    odd.writeDoubleLE(this.#sequence + 1);
    this.#writeAt(this.#file, odd, this.#stateStart);
    this.#writeAt(this.#file, bytes.subarray(8), this.#stateStart + 8);
    this.#writeAt(this.#file, bytes.subarray(0, 8), this.#stateStart);
    this.#sequence += 2;
  }

  /** Takes the file away, unless its name now stands for another one. */
  close(): void {
    try {
      removeIfSame(this.#path, fstatSync(this.#file));
    } catch {
      // Somebody has removed it before us: nothing is left to do.
    }
    closeSync(this.#file);
  }
}

function writeFully(file: number, bytes: Uint8Array, position: number): void {
  for (let written = 0; written < bytes.byteLength; ) {
    written += writeSync(file, bytes, written, bytes.byteLength - written, position + written);
  }
}

/** Gives the file its name. Linking fails where the name is taken, so that of two servers that start at once one is told. */
function takeName(scratch: string, path: string): void {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    try {
      linkSync(scratch, path);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const holder = readHolder(path);
    if (holder === null) continue;
    const { pid } = holder.process;
    switch (stateOf(holder.process)) {
      case "running":
        throw taken(`the server with pid ${pid} mirrors its own to ${path}`);
      case "unknown":
        throw taken(`a server of another container (pid namespace) has ${path}: remove it if that server has ended`);
      case "ended":
        removeEnded(path, holder.stat);
    }
  }
  throw new Error("the name is taken, but there is no file to be read under it: remove it");
}

function taken(why: string): LoopoolError {
  return new LoopoolError("MIRROR_TAKEN", `the stats are not mirrored: ${why}`);
}

function removeEnded(path: string, stat: Stats): void {
  try {
    removeIfSame(path, stat);
  } catch (error) {
    throw taken(
      `${path} was left by a server of another user (uid ${stat.uid}) and cannot be removed: ${messageOf(error)}`,
    );
  }
}
