import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { FileBody } from "../shared/handlers/handler.js";
import { closeQuietly } from "../shared/static/disk-file.js";

/** Bytes that are read in one go, and in memory for each file that is being sent. */
const PIECE_BYTES = 256 * 1024;
/** Not to wait for the writer of a FIFO, which is no file to send. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

/** A file, or a part of it, that is open, was looked at, and whose first bytes are here: its head may be sent. */
export class FileSource {
  /** For messages. */
  readonly file: string;
  /** Of the whole body. */
  readonly bytes: number;
  /** Its first bytes; valid until the next `read`. Empty where there are none to send. */
  first: Uint8Array = new Uint8Array(0);
  readonly #handle: FileHandle;
  readonly #start: number;
  readonly #piece: Uint8Array;

  private constructor(handle: FileHandle, { file, bytes, offset = 0 }: FileBody, wantedBytes: number) {
    this.file = file;
    this.bytes = bytes;
    this.#handle = handle;
    this.#start = offset;
    this.#piece = new Uint8Array(Math.min(PIECE_BYTES, wantedBytes));
  }

  /**
   * Opens what a body names, or takes over the file that it brings. `isSent` false: only to know whether it could be sent. Rejects with the
   * system's error or a reason where it cannot be sent as it was promised: nothing is open then.
   */
  static async open(body: FileBody, isSent: boolean): Promise<FileSource> {
    let handle = body.handle;
    try {
      if (handle === undefined) {
        handle = await open(body.file, OPEN_FLAGS);
        await checkFile(handle, body);
      }
      const source = new FileSource(handle, body, isSent ? body.bytes : 0);
      if (isSent && body.bytes > 0) source.first = await source.read(0);
      return source;
    } catch (error) {
      closeQuietly(handle);
      throw error;
    }
  }

  /** The bytes from an offset of the body on, as many as go in one piece: valid until the next call. Rejects when the file ends before. */
  async read(offset: number): Promise<Uint8Array> {
    const wantedBytes = Math.min(this.#piece.byteLength, this.bytes - offset);
    const { bytesRead } = await this.#handle.read(this.#piece, 0, wantedBytes, this.#start + offset);
    if (bytesRead === 0) throw new Error(`it ended after ${offset} of ${this.bytes} bytes`);
    return this.#piece.subarray(0, bytesRead);
  }

  close(): void {
    closeQuietly(this.#handle);
  }
}

/** Throws why an open file is not what a handler promised. */
async function checkFile(handle: FileHandle, { bytes, offset = 0, modifiedMs }: FileBody): Promise<void> {
  const found = await handle.stat();
  if (!found.isFile()) throw new Error("it is no regular file");
  if (modifiedMs !== undefined && found.mtimeMs !== modifiedMs) throw new Error("it has changed since its modifiedMs");
  if (found.size < offset + bytes) {
    throw new Error(`it has ${found.size} bytes, of which ${bytes} from ${offset} on were to be sent`);
  }
}
