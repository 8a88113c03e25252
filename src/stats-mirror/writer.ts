import { closeSync, fstatSync, linkSync, openSync, readdirSync, statSync, unlinkSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { LoopoolError, messageOf } from "../shared/errors.js";
import { encodeDescription, encodeState, type MirrorDescription, type MirrorState } from "./format.js";
import { isRunning } from "./process-identity.js";
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
   * Makes the file, complete with a first state, before it gets its name: a reader finds all of it or none. What a server that has ended
   * left under the name is replaced. Throws a LoopoolError: MIRROR_TAKEN when another server writes there, MIRROR_REFUSED when the
   * system does not allow it.
   */
  static create(path: string, description: MirrorDescription, first: MirrorState, writeAt = writeFully): MirrorWriter {
    let scratch: string | undefined;
    let file: number | undefined;
    try {
      removeLeftovers(path);
      scratch = `${path}.${description.pid}.new`;
      // Exclusively: in a folder that everyone may write to, it is not to follow a link that somebody has put there.
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
      if (file !== undefined && scratch !== undefined) unlinkSync(scratch);
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
      if (statSync(this.#path).ino === fstatSync(this.#file).ino) unlinkSync(this.#path);
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
    if (isRunning(holder)) {
      throw new LoopoolError(
        "MIRROR_TAKEN",
        `the stats are not mirrored: the server with pid ${holder.pid} mirrors its own to ${path}`,
      );
    }
    unlinkSync(path);
  }
  throw new Error("the name is taken, but there is no file to be read under it: remove it");
}

/** Files that a server killed at its start has left before they had their name: "loopool-9090.123.new". */
function removeLeftovers(path: string): void {
  const prefix = `${basename(path)}.`;
  for (const name of readdirSync(dirname(path))) {
    const pid = name.startsWith(prefix) ? /^(\d+)\.new$/.exec(name.slice(prefix.length))?.[1] : undefined;
    if (pid === undefined) continue;
    // Our own pid: whoever had it before us, since we are only starting.
    if (Number(pid) !== process.pid && isRunning({ pid: Number(pid), startTicks: null })) continue;
    unlinkSync(join(dirname(path), name));
  }
}
