import { endStream } from "../shared/dispatch/discard.js";
import type { StreamBody } from "../shared/handlers/handler.js";

/** The client that a stream is for. */
export interface StreamClient {
  /** It has gone: nothing may be written any more. */
  readonly aborted: boolean;
  /** Called when it goes. */
  onAbort: () => void;
  /** Counts bytes of a body that went to its socket. */
  handedOver(bytes: number): void;
  /** Counts and logs why a body will not be whole. */
  streamFailed(error: unknown): void;
}

/** Where the chunks of a stream go. */
export interface StreamSink {
  /** Sends the head, as far as it can go out without a chunk. */
  begin(): void;
  /** Writes a chunk, which must not change until it has. A promise: it resolves when there is room for the next one, or the client has gone. */
  write(chunk: Uint8Array): Promise<void> | null;
  /** The body is whole. */
  end(): void;
  /** The body will not be whole, which its reader must see: the connection is closed. */
  cut(): void;
}

/** After so much the event loop has its turn: a stream that always has a chunk at hand would keep everybody else waiting. */
const MAX_UNBROKEN_BYTES = 256 * 1024;
/** What a chunk counts beside its bytes. */
const CHUNK_COST_BYTES = 4096;

/** Pulls the chunks of a stream and writes them, the next one only when the client has room for it. */
export async function sendStream(body: StreamBody, client: StreamClient, sink: StreamSink): Promise<void> {
  const { chunks, bytes = null } = body;
  client.onAbort = () => endStream(body);
  let sentBytes = 0;
  let unbrokenBytes = 0;
  try {
    sink.begin();
    while (bytes === null || sentBytes < bytes) {
      const { done, value } = await chunks.next();
      if (client.aborted) return;
      if (done) break;
      sentBytes += value.byteLength;
      if (bytes !== null && sentBytes > bytes) throw new Error(`its chunks have more than the ${bytes} bytes it said`);
      client.handedOver(value.byteLength);
      const room = sink.write(value);
      unbrokenBytes += value.byteLength + CHUNK_COST_BYTES;
      if (room !== null) await room;
      if (unbrokenBytes > MAX_UNBROKEN_BYTES) {
        unbrokenBytes = 0;
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (client.aborted) return;
    }
    if (bytes !== null && sentBytes < bytes)
      throw new Error(`its chunks had ${sentBytes} of the ${bytes} bytes it said`);
    sink.end();
    // With a length it is whole before its chunks have said that they are done.
    if (bytes !== null) endStream(body);
  } catch (error) {
    if (client.aborted) return;
    client.streamFailed(error);
    endStream(body);
    sink.cut();
  }
}
