import type { PoolMessage } from "./messages.js";
import type { StreamSender } from "./stream-sender.js";

/** Main's side of request bodies that handlers read while they arrive. */
export class OutgoingUploads {
  readonly #open = new Map<number, Upload>();
  #lastNumber = 0;

  /** A request's body, which begins to move when its handler asks for it. Returns its number. */
  open(stream: AsyncIterable<Uint8Array>): number {
    this.#lastNumber = this.#lastNumber === 0x7fffffff ? 1 : this.#lastNumber + 1;
    this.#open.set(this.#lastNumber, { stream, sender: null, credit: 0 });
    return this.#lastNumber;
  }

  /** A handler reads on; `post` reaches its worker. */
  pull(number: number, credit: number, post: (message: PoolMessage) => void): void {
    const upload = this.#open.get(number);
    if (upload === undefined) {
      this.#refuse(number, post);
      return;
    }
    if (upload.sender !== null) upload.sender.grant(credit);
    else if (upload.credit > 0) upload.credit += credit;
    else {
      upload.credit = credit;
      this.#start(number, upload, post);
    }
  }

  async #start(number: number, upload: Upload, post: (message: PoolMessage) => void): Promise<void> {
    const [{ StreamSender }, { textOfFailure }] = await Promise.all([
      import("./stream-sender.js"),
      import("./failure-text.js"),
    ]);
    if (!this.#open.has(number)) {
      this.#refuse(number, post);
      return;
    }
    const sink = {
      chunk: (chunk: Uint8Array) => post({ type: "upload", upload: number, chunk }),
      end: (failure: unknown) => {
        this.#open.delete(number);
        post({ type: "upload-end", upload: number, failure: failure === null ? null : textOfFailure(failure) });
      },
    };
    upload.sender = new StreamSender(upload.stream[Symbol.asyncIterator](), sink, upload.credit);
    upload.sender.run();
  }

  #refuse(number: number, post: (message: PoolMessage) => void): void {
    post({ type: "upload-end", upload: number, failure: "the request is over" });
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
  /** null until its handler has asked for the first chunk, and what sends it is loaded: `credit` is what was granted meanwhile. */
  sender: StreamSender | null;
  credit: number;
}
