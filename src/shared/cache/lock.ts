/**
 * A lock that names its owner, in two words.
 *
 * | word    | written by                                                            | meaning                     |
 * |---------|-----------------------------------------------------------------------|-----------------------------|
 * | owner   | who takes it, 0 → 1 + its number, by compare-and-swap; the owner, → 0 | who is inside               |
 * | waiters | who is about to sleep, + 1, and when it is up again, − 1              | whether release must notify |
 *
 * A thread that dies inside leaves its number; main, which learns of the death, takes the lock from it and mends what it protects.
 * Until then nobody else waits for longer than its limit. One that dies asleep leaves a waiter too many: a needless notification
 * for each release.
 */
const OWNER = 0;
const WAITERS = 1;

/** Tries before a thread sleeps or gives up: what is done inside takes some µs. */
const SPINS = 300;
/** Sleeps of a millisecond. A lock that is held for so long has lost its owner, or its owner its CPU. */
const MAX_SLEEPS = 20;
const SLEEP_MS = 1;

/** One thread's view of a lock. */
export class Lock {
  readonly #words: Int32Array;
  readonly #base: number;
  readonly #me: number;
  readonly #maySleep: boolean;

  /** `base`: the word of the owner. The main thread may not sleep: it has sockets to serve. */
  constructor(words: Int32Array, base: number, thread: number, maySleep: boolean) {
    this.#words = words;
    this.#base = base;
    this.#me = 1 + thread;
    this.#maySleep = maySleep;
  }

  /** False when it could not be had in time. */
  acquire(): boolean {
    if (this.#spin()) return true;
    if (!this.#maySleep) return false;
    const words = this.#words;
    for (let sleeps = 0; sleeps < MAX_SLEEPS; sleeps++) {
      Atomics.add(words, this.#base + WAITERS, 1);
      const owner = Atomics.load(words, this.#base + OWNER);
      if (owner !== 0) Atomics.wait(words, this.#base + OWNER, owner, SLEEP_MS);
      Atomics.sub(words, this.#base + WAITERS, 1);
      if (this.#spin()) return true;
    }
    return false;
  }

  #spin(): boolean {
    for (let tries = 0; tries < SPINS; tries++) {
      if (Atomics.load(this.#words, this.#base + OWNER) !== 0) continue;
      if (Atomics.compareExchange(this.#words, this.#base + OWNER, 0, this.#me) === 0) return true;
    }
    return false;
  }

  /** The owner: lets the next one in. */
  release(): void {
    Atomics.store(this.#words, this.#base + OWNER, 0);
    if (Atomics.load(this.#words, this.#base + WAITERS) > 0) Atomics.notify(this.#words, this.#base + OWNER, 1);
  }

  /** Main: takes the lock from a thread that has ended inside; false when that one was not inside. */
  takeFrom(thread: number): boolean {
    return Atomics.compareExchange(this.#words, this.#base + OWNER, 1 + thread, this.#me) === 1 + thread;
  }
}
