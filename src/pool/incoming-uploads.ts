import { failureOf } from "./failure-text.js";
import type { WorkerMessage } from "./messages.js";
import { StreamReceiver } from "./stream-receiver.js";

/** Request bodies that the handlers of one worker read while they arrive. */
export class IncomingUploads {
  readonly #post: (message: WorkerMessage) => void;
  readonly #open = new Map<number, StreamReceiver>();

  constructor(post: (message: WorkerMessage) => void) {
    this.#post = post;
  }

  /** The body of a request, for one reader. Nothing of it moves before it is read. */
  open(upload: number): AsyncIterable<Uint8Array> {
    let isTaken = false;
    return {
      [Symbol.asyncIterator]: () => {
        if (isTaken) throw new Error("the body of a request can be read once");
        isTaken = true;
        const control = {
          grant: (credit: number) => this.#post({ type: "loopool:pull", upload, credit }),
          close: () => this.#post({ type: "loopool:close-upload", upload }),
        };
        const receiver = new StreamReceiver(control, 0, () => this.#open.delete(upload));
        this.#open.set(upload, receiver);
        return receiver;
      },
    };
  }

  chunk(upload: number, chunk: Uint8Array): void {
    this.#open.get(upload)?.push(chunk);
  }

  end(upload: number, failure: string | null): void {
    this.#open.get(upload)?.end(failureOf(failure));
  }
}
