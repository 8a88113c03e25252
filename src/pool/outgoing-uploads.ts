import { textOfFailure } from "./failure-text.js";
import type { PoolMessage } from "./messages.js";
import { StreamSender } from "./stream-sender.js";

/** Main's side of request bodies that handlers read while they arrive. */
export class OutgoingUploads {
  readonly #open = new Map<number, Upload>();
  #lastNumber = 0;

  /** A request's body, which begins to move when its handler asks for it. Returns its number. */
  open(stream: AsyncIterable<Uint8Array>): number {
    this.#lastNumber = this.#lastNumber === 0x7fffffff ? 1 : this.#lastNumber + 1;
    this.#open.set(this.#lastNumber, { stream, sender: null });
    return this.#lastNumber;
  }

  /** A handler reads on; `post` reaches its worker. */
  pull(number: number, credit: number, post: (message: PoolMessage) => void): void {
    const upload = this.#open.get(number);
    if (upload === undefined) {
      post({ type: "upload-end", upload: number, failure: "the request is over" });
      return;
    }
    if (upload.sender !== null) {
      upload.sender.grant(credit);
      return;
    }
    const sink = {
      chunk: (chunk: Uint8Array) => post({ type: "upload", upload: number, chunk }),
      end: (failure: unknown) => {
        this.#open.delete(number);
        post({ type: "upload-end", upload: number, failure: failure === null ? null : textOfFailure(failure) });
      },
    };
    upload.sender = new StreamSender(upload.stream[Symbol.asyncIterator](), sink, credit);
    upload.sender.run();
  }

  /** Nobody reads it any more: the response is complete, or its handler or worker has gone. 0: there is none. */
  close(number: number): void {
    if (number === 0) return;
    const upload = this.#open.get(number);
    this.#open.delete(number);
    upload?.sender?.close();
  }
}

interface Upload {
  readonly stream: AsyncIterable<Uint8Array>;
  /** null until its handler asks for the first chunk. */
  sender: StreamSender | null;
}
