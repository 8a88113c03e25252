import type { HttpResponse } from "uWebSockets.js";
import { type FileHandle, open } from "node:fs/promises";
import { messageOf } from "../../shared/errors.js";
import type { FileBody } from "../../shared/handlers/handler.js";

/** What streaming needs to know of the client. */
export interface Client {
  readonly aborted: boolean;
  /** Called when it goes away. */
  onAbort: () => void;
  /** Of the body, as far as its socket is known to have taken it; kept up to date for bodies that it does not take at once. */
  takenBytes: number;
}

const CHUNK_BYTES = 256 * 1024;

/**
 * Sends a body from memory as fast as the reader takes it; `done` is called once, with the last byte. `body` must not change
 * until then. µWS calls back with the offset it has reached; after an abort it calls no more.
 */
export function sendLarge(res: HttpResponse, client: Client, body: Uint8Array, done: () => void): void {
  const totalBytes = body.byteLength;
  const [, complete] = res.tryEnd(body, totalBytes);
  if (complete) {
    done();
    return;
  }
  client.takenBytes = res.getWriteOffset();
  res.onWritable((offset) => {
    client.takenBytes = offset;
    // Its buffer was transferred to another thread meanwhile: the client sees a short body, never padding.
    if (body.byteLength !== totalBytes) {
      res.close();
      return true;
    }
    const [ok, completeNow] = res.tryEnd(body.subarray(offset), totalBytes);
    if (completeNow) done();
    return ok;
  });
}

/**
 * Sends a file from the disk, or a part of it, in pieces, the next one read only when the reader has taken the last: memory stays at one
 * piece. A file that is not there any more, is another one now or has become shorter ends the connection: the client sees a short body,
 * never padding.
 */
export async function sendFile(res: HttpResponse, client: Client, body: FileBody, done: () => void): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(body.file);
    if (body.modifiedMs !== undefined && (await handle.stat()).mtimeMs !== body.modifiedMs) {
      throw new Error("it was changed after its head was sent");
    }
    if (await sendPieces(res, client, handle, body)) done();
  } catch (error) {
    console.error(`loopool: sending ${body.file} failed: ${messageOf(error)}`);
    // Closing calls the abort handler, which counts it.
    if (!client.aborted) res.close();
  } finally {
    await handle?.close();
  }
}

/** True when all bytes were taken, false when the client went away. Throws when the file ends too early. */
async function sendPieces(
  res: HttpResponse,
  client: Client,
  handle: FileHandle,
  { offset: start = 0, bytes: totalBytes }: FileBody,
): Promise<boolean> {
  const piece = new Uint8Array(Math.min(CHUNK_BYTES, totalBytes));
  let resume = (): void => {};
  client.onAbort = () => resume();
  res.onWritable(() => {
    resume();
    return true;
  });
  let offset = 0;
  for (;;) {
    const wanted = Math.min(piece.byteLength, totalBytes - offset);
    const { bytesRead } = await handle.read(piece, 0, wanted, start + offset);
    if (client.aborted) return false;
    if (bytesRead === 0) throw new Error(`it ended after ${offset} of ${totalBytes} bytes`);
    const writable = new Promise<void>((resolve) => {
      resume = resolve;
    });
    let taken = false;
    let complete = false;
    res.cork(() => {
      [taken, complete] = res.tryEnd(piece.subarray(0, bytesRead), totalBytes);
    });
    if (complete) return true;
    if (taken) {
      offset += bytesRead;
      client.takenBytes = offset;
    } else {
      // What the socket did not take is read again from the file once it is writable.
      offset = res.getWriteOffset();
      client.takenBytes = offset;
      await writable;
      if (client.aborted) return false;
    }
  }
}
