import type { ServerResponse } from "node:http";
import type { FileSource } from "../file-source.js";

/** What streaming needs to know of the client. */
export interface Client {
  readonly aborted: boolean;
  /** Called when it goes away. */
  onAbort: () => void;
  /** Of the body, as far as its socket has taken it. */
  takenBytes: number;
  /** Says that a body could not be sent; `what` names it. */
  fileFailed(what: string, error: unknown): void;
}

const PIECE_BYTES = 256 * 1024;

/**
 * Sends a body piece by piece, the next one only when the socket has taken the last: a piece may be written over then, and memory stays at
 * one. What fails ends the connection: the client sees a short body, never padding. `what` is for messages.
 */
export async function sendPieces(
  response: ServerResponse,
  client: Client,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  what: string,
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
    client.fileFailed(what, error);
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

/** An open file, in one buffer that is used again; closed at the end. Throws when it ends too early. */
export async function* filePieces(file: FileSource): AsyncGenerator<Uint8Array> {
  try {
    let piece = file.first;
    for (let offset = 0; ; piece = await file.read(offset)) {
      yield piece;
      offset += piece.byteLength;
      if (offset >= file.bytes) return;
    }
  } finally {
    file.close();
  }
}
