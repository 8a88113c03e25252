import { mix32 } from "../hash.js";

/**
 * Who reads what from the disk now, so that a path that many threads miss at once is read once. One word for each of a number of
 * places; a key's place follows from its hash.
 *
 * A word is 0, or the number of the thread that reads and the rest of the key's hash. The reader sets it by compare-and-swap and clears
 * it when it is done; main clears what a dead thread has left. Two keys in one place only mean that one of them is read twice. Nothing is
 * decided by a word but whether to wait, and no wait is without a limit.
 */

const PLACES = 1024;
const THREAD_BITS = 11;
/** A disk that takes longer than this is asked a second time. */
const MAX_WAIT_MS = 1000;

/** Bytes of shared memory. */
export const LOADING_BYTES = PLACES * 4;

/** One thread's view. */
export class Loading {
  readonly #words: Int32Array;
  readonly #thread: number;

  constructor(memory: SharedArrayBuffer, thread: number) {
    this.#words = new Int32Array(memory);
    this.#thread = thread;
  }

  /**
   * Says that this thread is about to read a key. Undefined: so be it, and `end` must follow. A promise: another thread reads it, and it
   * resolves when that one is done, or dead, or slow.
   */
  begin(key: string): Promise<unknown> | undefined {
    const hash = hashOf(key);
    const place = hash & (PLACES - 1);
    const seen = Atomics.compareExchange(this.#words, place, 0, this.#word(hash));
    if (seen === 0 || seen >>> THREAD_BITS !== hash >>> THREAD_BITS) return undefined;
    const outcome = Atomics.waitAsync(this.#words, place, seen, MAX_WAIT_MS);
    return outcome.async ? outcome.value : Promise.resolve();
  }

  /** The key has been read, or cannot be. */
  end(key: string): void {
    const hash = hashOf(key);
    const place = hash & (PLACES - 1);
    const word = this.#word(hash);
    if (Atomics.compareExchange(this.#words, place, word, 0) === word) Atomics.notify(this.#words, place);
  }

  /** Main: a thread has ended. */
  recover(thread: number): void {
    for (let place = 0; place < PLACES; place++) {
      const seen = Atomics.load(this.#words, place);
      if (seen === 0 || (seen & ((1 << THREAD_BITS) - 1)) !== 1 + thread) continue;
      if (Atomics.compareExchange(this.#words, place, seen, 0) === seen) Atomics.notify(this.#words, place);
    }
  }

  #word(hash: number): number {
    return (hash & ~((1 << THREAD_BITS) - 1)) | (1 + this.#thread);
  }
}

/** FNV-1a over UTF-16 units, its bits mixed once more. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return mix32(hash);
}
