/**
 * A stream between two threads, as its receiver has it; stream-sender.ts is the other end. The receiver grants credit as its reader takes chunks,
 * the sender asks its source for the next chunk only while it has credit left. So what is on its way, in whatever memory, is bounded by the
 * window and one chunk.
 */

/** Credit that a stream begins with: what may be on its way. */
export const WINDOW = 128 * 1024;
/** What a chunk costs beside its bytes: many small ones take memory, too. */
export const CHUNK_COST = 64;
/** Chunks that wait are handed over as one up to this size: each costs its reader a write. */
const MERGED_BYTES = 64 * 1024;

/** How a receiver reaches its sender. */
export interface StreamControl {
  /** More may be sent. `received`: chunks that have arrived so far. */
  grant(credit: number, received: number): void;
  /** Nothing more is wanted; `gone`: since the client has gone. */
  close(gone: boolean): void;
}

const END: IteratorResult<Uint8Array> = { done: true, value: undefined };

interface Waiting {
  resolve(result: IteratorResult<Uint8Array>): void;
  reject(error: Error): void;
}

/** For one reader, which asks for one chunk at a time. */
export class StreamReceiver implements AsyncIterator<Uint8Array> {
  /** Whom the stream is for; null: nobody any more. */
  client: { readonly aborted: boolean } | null = null;
  readonly #control: StreamControl;
  /** The stream has ended, whoever ended it. */
  #onEnd: () => void;
  #queue: Uint8Array[] = [];
  #waiting: Waiting | null = null;
  #isOpen = true;
  /** Why it ended in the middle; told once, after the chunks before. */
  #failure: Error | null = null;
  #received = 0;
  /** Of chunks that the reader has taken. */
  #ungranted = 0;

  /** `credit`: what the sender has from the start. */
  constructor(control: StreamControl, credit: number, onEnd: () => void) {
    this.#control = control;
    this.#ungranted = WINDOW - credit;
    this.#onEnd = onEnd;
  }

  /** A chunk has arrived. It belongs to the stream from now on. */
  push(chunk: Uint8Array): void {
    if (!this.#isOpen) return;
    this.#received++;
    const waiting = this.#waiting;
    if (waiting === null) {
      this.#queue.push(chunk);
      return;
    }
    this.#waiting = null;
    this.#take(chunk.byteLength + CHUNK_COST);
    waiting.resolve({ done: false, value: chunk });
  }

  /** It is complete, or ends in the middle for this reason. */
  end(failure: Error | null): void {
    if (!this.#isOpen) return;
    this.#failure = failure;
    this.#close();
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting === null) return;
    if (failure === null) {
      waiting.resolve(END);
    } else {
      this.#failure = null;
      waiting.reject(failure);
    }
  }

  /** Calls `ended`, too, when the stream has ended. */
  whenEnded(ended: () => void): void {
    const before = this.#onEnd;
    this.#onEnd = () => {
      before();
      ended();
    };
    if (!this.#isOpen) ended();
  }

  /** Tells the sender what has arrived, with the credit that is due. */
  acknowledge(): void {
    if (!this.#isOpen) return;
    this.#control.grant(this.#ungranted, this.#received);
    this.#ungranted = 0;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    const queue = this.#queue;
    if (queue.length > 0) {
      const chunk = this.#merged();
      return Promise.resolve({ done: false, value: chunk });
    }
    if (!this.#isOpen) {
      const failure = this.#failure;
      this.#failure = null;
      return failure === null ? Promise.resolve(END) : Promise.reject(failure);
    }
    const arrives = new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
    // A stream that begins without credit gets it now.
    this.#take(0);
    return arrives;
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    this.#queue = [];
    this.#failure = null;
    if (this.#isOpen) {
      this.#control.close(this.client?.aborted ?? true);
      this.end(null);
    }
    return Promise.resolve(END);
  }

  #close(): void {
    this.#isOpen = false;
    this.#onEnd();
  }

  /** All chunks that wait, or as many as make a large one. */
  #merged(): Uint8Array {
    const queue = this.#queue;
    let bytes = queue[0]!.byteLength;
    let count = 1;
    while (count < queue.length && bytes + queue[count]!.byteLength <= MERGED_BYTES) {
      bytes += queue[count++]!.byteLength;
    }
    this.#queue = count === queue.length ? [] : queue.slice(count);
    this.#take(bytes + count * CHUNK_COST);
    return count === 1 ? queue[0]! : Buffer.concat(queue.slice(0, count), bytes);
  }

  /** The reader has taken so much. Credit is granted in large steps: each is a message. */
  #take(cost: number): void {
    this.#ungranted += cost;
    if (this.#ungranted >= WINDOW / 2) this.acknowledge();
  }
}
