import type { StreamBody } from "../../../shared/handlers/handler.js";

/** As Node's streams have it. */
const HIGH_WATER_BYTES = 16 * 1024;

/** What is told of a queue's reader. */
export interface QueueEvents {
  /** All that was written has been taken, and a write was answered with false. */
  readonly onDrained: () => void;
  /** The end has been taken. */
  readonly onEnded: () => void;
  /** The reader wants no more. */
  readonly onLeft: () => void;
}

interface Entry {
  readonly chunk: Uint8Array;
  readonly taken: (() => void) | null;
}

/** Chunks between an application that writes and a connection that takes them when it has room. */
export class ChunkQueue implements AsyncIterator<Uint8Array> {
  readonly #events: QueueEvents;
  /** Of all chunks together; null: not known. */
  readonly #length: number | null;
  #takenBytes = 0;
  readonly #entries: Entry[] = [];
  #bytes = 0;
  #isEnded = false;
  #isOver = false;
  #needsDrain = false;
  #error: Error | null = null;
  #waiting: PromiseWithResolvers | null = null;

  constructor(length: number | null, events: QueueEvents) {
    this.#length = length;
    this.#events = events;
  }

  /** As a body of a response. */
  get body(): StreamBody {
    return this.#length === null ? { chunks: this } : { chunks: this, bytes: this.#length };
  }

  /** Whether there is room for more. */
  write(chunk: Uint8Array, taken: (() => void) | null): boolean {
    if (this.#isOver) {
      taken?.();
      return true;
    }
    this.#entries.push({ chunk, taken });
    this.#bytes += chunk.byteLength;
    this.#settle();
    this.#needsDrain ||= this.#bytes >= HIGH_WATER_BYTES;
    return !this.#needsDrain;
  }

  end(): void {
    this.#isEnded = true;
    // The reader of a body of known length left when it had all of it.
    if (this.#isOver) this.#events.onEnded();
    else this.#settle();
  }

  /** What was written so far goes out; then the body ends as one that is not whole. */
  fail(error: Error): void {
    this.#error = error;
    this.#settle();
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    const result = this.#take();
    if (result !== null) return result;
    this.#waiting = withResolvers();
    return this.#waiting.promise;
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    if (!this.#isOver) {
      this.#isOver = true;
      const isWhole = this.#takenBytes === this.#length;
      for (const { taken } of this.#entries.splice(0)) taken?.();
      this.#waiting?.resolve({ done: true, value: undefined });
      this.#waiting = null;
      if (!isWhole) this.#events.onLeft();
      else if (this.#isEnded) this.#events.onEnded();
    }
    return { done: true, value: undefined };
  }

  #settle(): void {
    const waiting = this.#waiting;
    if (waiting === null) return;
    const result = this.#take();
    if (result === null) return;
    this.#waiting = null;
    waiting.resolve(result);
  }

  /** What `next` is to give now; null: nothing yet. */
  #take(): Promise<IteratorResult<Uint8Array>> | null {
    const entry = this.#entries.shift();
    if (entry !== undefined) {
      this.#bytes -= entry.chunk.byteLength;
      this.#takenBytes += entry.chunk.byteLength;
      entry.taken?.();
      if (this.#needsDrain && this.#entries.length === 0) {
        this.#needsDrain = false;
        this.#events.onDrained();
      }
      return Promise.resolve({ done: false, value: entry.chunk });
    }
    if (this.#error !== null) {
      this.#isOver = true;
      return Promise.reject(this.#error);
    }
    if (!this.#isEnded) return null;
    if (!this.#isOver) {
      this.#isOver = true;
      this.#events.onEnded();
    }
    return Promise.resolve({ done: true, value: undefined });
  }
}

/** Promise.withResolvers, which Node 20 has not. */
interface PromiseWithResolvers {
  readonly promise: Promise<IteratorResult<Uint8Array>>;
  readonly resolve: (value: IteratorResult<Uint8Array> | Promise<IteratorResult<Uint8Array>>) => void;
}

function withResolvers(): PromiseWithResolvers {
  let resolve!: PromiseWithResolvers["resolve"];
  const promise = new Promise<IteratorResult<Uint8Array>>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
