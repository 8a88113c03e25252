/**
 * Where one thread sleeps, and how deep: one word.
 *
 * | state | written by                                         | meaning                                   |
 * |-------|----------------------------------------------------|-------------------------------------------|
 * | AWAKE | the sleeper; a waker, by compare-and-swap           | it will look at everything before it sleeps |
 * | LIGHT | the sleeper, by compare-and-swap from AWAKE         | whoever has anything for it must wake it  |
 * | DEEP  | the sleeper, by compare-and-swap from AWAKE         | it waits for its time; only what is urgent wakes it |
 * | ENDED | whoever sends it home, over any state; it stays     | it ends instead of sleeping               |
 *
 * No wake-up is lost: the sleeper announces itself, looks once more, and only then waits on the value it wrote; a waker publishes what
 * it has before it looks at the word. In any order of the two, one of them sees the other. What is urgent and comes between the look and
 * a DEEP announcement waits for the sleeper's time, so a deep sleep must have one.
 * A sleeper that dies leaves LIGHT or DEEP behind: the wake-up spent on it is harmless. A waker that dies between its swap and its
 * notification would leave the sleeper waiting: only the main thread wakes, and with it the process ends.
 */

const AWAKE = 0;
const LIGHT = 1;
const DEEP = 2;
const ENDED = 3;

/** Bytes of shared memory: one cache line. */
export const SLEEPER_BYTES = 64;

/** One thread's view of the word. */
export class Sleeper {
  readonly #word: Int32Array;
  /** The sleeper's own: how deep it announced last. */
  #depth = LIGHT;

  constructor(memory: SharedArrayBuffer) {
    this.#word = new Int32Array(memory);
  }

  /** Waker: wakes it from a light sleep. Cheap while it is awake or in a deep one: a plain look. */
  wake(): void {
    if (Atomics.load(this.#word, 0) === LIGHT) this.#wakeFrom(LIGHT);
  }

  /** Waker: wakes it however deep it sleeps. */
  wakeUrgently(): void {
    const state = Atomics.load(this.#word, 0);
    if (state === LIGHT || state === DEEP) this.#wakeFrom(state);
  }

  #wakeFrom(state: number): void {
    if (Atomics.compareExchange(this.#word, 0, state, AWAKE) === state) Atomics.notify(this.#word, 0);
  }

  /** Waker: sends it home, for good. */
  end(): void {
    Atomics.store(this.#word, 0, ENDED);
    Atomics.notify(this.#word, 0);
  }

  /** Sleeper: says that it is about to sleep; false when it was retired. It must look for work once more before it waits. */
  announce(isLight: boolean): boolean {
    this.#depth = isLight ? LIGHT : DEEP;
    return Atomics.compareExchange(this.#word, 0, AWAKE, this.#depth) !== ENDED;
  }

  /** Sleeper: sleeps until woken, retired, or until its time. The thread stands still. */
  wait(timeoutMs: number): void {
    Atomics.wait(this.#word, 0, this.#depth, timeoutMs);
  }

  /** Sleeper: it is up again, whoever or whatever woke it. */
  leave(): void {
    Atomics.compareExchange(this.#word, 0, this.#depth, AWAKE);
  }
}
