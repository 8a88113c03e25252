import { open } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { messageOf } from "../../shared/errors.js";
import type { FileBody } from "../../shared/handlers/handler.js";

/** What streaming needs to know of the client. */
export interface Client {
  readonly aborted: boolean;
  /** Called when it goes away. */
  onAbort: () => void;
  /** Of the body, as far as its socket has taken it. */
  takenBytes: number;
}

const PIECE_BYTES = 256 * 1024;

/**
 * Sends a body piece by piece, the next one only when the socket has taken the last: a piece may be written over then, and memory stays at
 * one. What fails ends the connection: the client sees a short body, never padding.
 */
export async function sendPieces(
  response: ServerResponse,
  client: Client,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  let resume = (): void => {};
  // After an abort Node does not call back for what waited behind another answer.
  client.onAbort = () => resume();
  try {
    for await (const piece of pieces) {
      if (client.aborted) return;
      await new Promise<void>((resolve) => {
        resume = resolve;
        response.write(piece, () => resolve());
      });
      if (client.aborted) return;
      client.takenBytes += piece.byteLength;
    }
    response.end();
  } catch (error) {
    console.error(`loopool: sending a file failed: ${messageOf(error)}`);
    // Closing aborts the reply, which counts it.
    response.destroy();
  }
}

/** Parts of a body in memory, which are not copied. Throws when its buffer was transferred to another thread meanwhile. */
export function* memoryPieces(body: Uint8Array): Generator<Uint8Array> {
  const { byteLength } = body;
  for (let offset = 0; offset < byteLength; offset += PIECE_BYTES) {
    if (body.byteLength !== byteLength) throw new Error("the body was transferred while it was being sent");
    yield body.subarray(offset, offset + PIECE_BYTES);
  }
}

/**
 * A file from the disk, or a part of it, in one buffer that is used again. Throws when it is not there any more, is another one now, or
 * ends too early.
 */
export async function* filePieces({
  file,
  bytes,
  offset: start = 0,
  modifiedMs,
}: FileBody): AsyncGenerator<Uint8Array> {
  const handle = await open(file);
  try {
    if (modifiedMs !== undefined && (await handle.stat()).mtimeMs !== modifiedMs) {
      throw new Error(`${file} was changed after its head was sent`);
    }
    const piece = new Uint8Array(Math.min(PIECE_BYTES, bytes));
    for (let offset = 0; offset < bytes; ) {
      const { bytesRead } = await handle.read(piece, 0, Math.min(piece.byteLength, bytes - offset), start + offset);
      if (bytesRead === 0) throw new Error(`${file} ended after ${offset} of ${bytes} bytes`);
      yield piece.subarray(0, bytesRead);
      offset += bytesRead;
    }
  } finally {
    await handle.close();
  }
}
