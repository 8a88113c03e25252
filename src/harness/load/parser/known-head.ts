/** Longer heads are read anew each time. */
const MAX_BYTES = 1024;
const WORD_BYTES = Int32Array.BYTES_PER_ELEMENT;

/**
 * The bytes of the last head: a server's heads are mostly the same, and telling that takes a fraction of the time of reading one. They are
 * compared by words, which takes a quarter of the time of comparing bytes, where they lie at the start of a buffer that words fit on.
 */
export class KnownHead {
  readonly #words = new Int32Array(MAX_BYTES / WORD_BYTES);
  readonly #bytes = Buffer.from(this.#words.buffer);
  #length = 0;
  /** What was compared last, and its words: a connection is read into one buffer all its life. */
  #seen: Buffer | undefined;
  #seenWords: Int32Array | null = null;

  /** Of the head; 0 where none is known. */
  get length(): number {
    return this.#length;
  }

  forget(): void {
    this.#length = 0;
  }

  /** Keeps the head in `bytes[start, end)`, unless it is too long. */
  learn(bytes: Buffer, start: number, end: number): void {
    this.#length = end - start > MAX_BYTES ? 0 : bytes.copy(this.#bytes, 0, start, end);
  }

  /** Whether `bytes[start, end)` begin with it. */
  matches(bytes: Buffer, start: number, end: number): boolean {
    const length = this.#length;
    if (length === 0 || end - start < length) return false;
    if (bytes !== this.#seen) this.#see(bytes);
    const words = this.#seenWords;
    let i = 0;
    if (words !== null && start === 0) {
      const whole = length >>> 2;
      for (let word = 0; word < whole; word++) if (words[word] !== this.#words[word]) return false;
      i = whole * WORD_BYTES;
    }
    for (; i < length; i++) if (bytes[start + i] !== this.#bytes[i]) return false;
    return true;
  }

  #see(bytes: Buffer): void {
    this.#seen = bytes;
    const aligned = bytes.byteOffset % WORD_BYTES === 0;
    this.#seenWords = aligned ? new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2) : null;
  }
}
