import type { StreamBody } from "../shared/handlers/handler.js";
import { copyBytes } from "../shared/memory/copy-bytes.js";
import { failureOf } from "./failure-text.js";
import type { PoolMessage } from "./messages.js";
import { StreamReceiver, WINDOW } from "./stream-receiver.js";

/** Main's side of the streams of one worker: what comes out of its ring and its messages, for the adapter to pull. */
export class IncomingStreams {
  readonly #post: (message: PoolMessage) => void;
  readonly #open = new Map<number, StreamReceiver>();

  constructor(post: (message: PoolMessage) => void) {
    this.#post = post;
  }

  /** Streams of responses that are not complete. */
  get size(): number {
    return this.#open.size;
  }

  /** A head has arrived. `bytes` of the whole body, −1: not known. */
  open(stream: number, bytes: number): StreamBody {
    const control = {
      grant: (credit: number, received: number) => this.#post({ type: "grant", stream, credit, received }),
      close: (gone: boolean) => this.#post({ type: "close-stream", stream, gone }),
    };
    const chunks = new StreamReceiver(control, WINDOW, () => this.#open.delete(stream));
    this.#open.set(stream, chunks);
    return bytes === -1 ? { chunks } : { chunks, bytes };
  }

  /** A chunk is in the ring: a view, which is copied. */
  chunk(stream: number, view: Uint8Array): void {
    const receiver = this.#open.get(stream);
    if (receiver === undefined) return;
    const chunk = Buffer.allocUnsafe(view.byteLength);
    copyBytes(chunk, 0, view);
    receiver.push(chunk);
  }

  /** A chunk has come by message: its worker goes back to the ring when it hears that it has arrived. */
  chunkByMessage(stream: number, chunk: Uint8Array): void {
    const receiver = this.#open.get(stream);
    receiver?.push(chunk);
    receiver?.acknowledge();
  }

  /** The head has come by message. */
  headByMessage(stream: number): void {
    this.#open.get(stream)?.acknowledge();
  }

  end(stream: number, failure: string | null): void {
    this.#open.get(stream)?.end(failureOf(failure));
  }

  /** The worker has ended, and with it its streams: their clients are to see that something is missing. */
  fail(reason: string): void {
    for (const receiver of [...this.#open.values()]) receiver.end(new Error(reason));
  }
}
