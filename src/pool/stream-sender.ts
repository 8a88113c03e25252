import { CHUNK_COST } from "./stream-receiver.js";

/** Where a sender's chunks go. What it throws ends the stream. */
export interface StreamSink {
  chunk(bytes: Uint8Array): void;
  /** The last word: it is complete, or its source failed. Never throws. */
  end(failure: unknown): void;
}

/** The sender's end of a stream between two threads: asks its source for a chunk while it has credit. stream-receiver.ts has the rules. */
export class StreamSender {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #sink: StreamSink;
  #credit: number;
  #isOpen = true;
  #resume: (() => void) | null = null;

  constructor(source: AsyncIterator<Uint8Array>, sink: StreamSink, credit: number) {
    this.#source = source;
    this.#sink = sink;
    this.#credit = credit;
  }

  /** Begins; resolves when the stream has ended, whoever ended it. Never rejects. */
  async run(): Promise<void> {
    let failure: unknown = null;
    try {
      for (;;) {
        if (this.#credit <= 0) await this.#moreCredit();
        if (!this.#isOpen) return;
        const { done, value } = await this.#source.next();
        if (!this.#isOpen) return;
        if (done) break;
        this.#credit -= value.byteLength + CHUNK_COST;
        if (value.byteLength > 0) this.#send(value);
      }
    } catch (error) {
      failure = error ?? new Error("it failed without a reason");
    }
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#sink.end(failure);
  }

  /** A chunk that cannot be sent is the end of its source, too. */
  #send(chunk: Uint8Array): void {
    try {
      this.#sink.chunk(chunk);
    } catch (error) {
      this.#endSource();
      throw error;
    }
  }

  #moreCredit(): Promise<void> {
    return new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  grant(credit: number): void {
    this.#credit += credit;
    if (this.#credit > 0) this.#goOn();
  }

  /** The receiver wants no more. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#endSource();
    this.#goOn();
  }

  #goOn(): void {
    this.#resume?.();
    this.#resume = null;
  }

  /** What becomes of a source that is left alone is its own affair. */
  #endSource(): void {
    try {
      Promise.resolve(this.#source.return?.()).catch(() => {});
    } catch {
      // Nobody waits for it.
    }
  }
}
