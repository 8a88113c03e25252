import type { HttpResponse } from "uWebSockets.js";
import type { FileSource } from "../file-source.js";

/** What streaming needs to know of the client. */
export interface Client {
  readonly aborted: boolean;
  /** Called when it goes away. */
  onAbort: () => void;
  /** Of the body, as far as its socket is known to have taken it; kept up to date for bodies that it does not take at once. */
  takenBytes: number;
  /** Says that a body could not be sent; `what` names it. */
  fileFailed(what: string, error: unknown): void;
}

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
 * Sends an open file in pieces, the next one read only when the reader has taken the last: memory stays at one piece. `writeHead` writes
 * the head, together with the first piece, and returns what to call with the last byte. A file that becomes shorter ends the connection:
 * the client sees a short body, never padding.
 */
export async function sendFile(
  res: HttpResponse,
  client: Client,
  file: FileSource,
  writeHead: () => () => void,
): Promise<void> {
  let resume = (): void => {};
  client.onAbort = () => resume();
  res.onWritable(() => {
    resume();
    return true;
  });
  let done: (() => void) | undefined;
  let piece = file.first;
  let offset = 0;
  try {
    for (;;) {
      const writable = new Promise<void>((resolve) => {
        resume = resolve;
      });
      let taken = false;
      let complete = false;
      res.cork(() => {
        done ??= writeHead();
        [taken, complete] = res.tryEnd(piece, file.bytes);
      });
      if (complete) {
        done?.();
        return;
      }
      // What the socket did not take is read again from the file once it is writable.
      offset = taken ? offset + piece.byteLength : res.getWriteOffset();
      client.takenBytes = offset;
      if (!taken) await writable;
      if (client.aborted) return;
      piece = await file.read(offset);
      if (client.aborted) return;
    }
  } catch (error) {
    client.fileFailed(file.file, error);
    // Closing calls the abort handler, which counts it.
    if (!client.aborted) res.close();
  } finally {
    file.close();
  }
}
