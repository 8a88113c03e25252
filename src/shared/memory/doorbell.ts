/**
 * One word that says whether the main thread wants to be rung. Main arms it before it goes back to its event loop; the first
 * worker with something to tell swaps it off and posts one message, the others see it off and stay silent.
 *
 * No ring is lost: a worker commits its record before it looks at the word, main looks at the records again after arming.
 * A worker that dies between the swap and its message leaves the doorbell off: main rings itself when a worker ends.
 */

const OFF = 0;
const ARMED = 1;

/** Bytes of shared memory: one cache line. */
export const DOORBELL_BYTES = 64;

/** One thread's view of the doorbell. */
export class Doorbell {
  readonly #word: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#word = new Int32Array(memory);
  }

  /** Main: asks to be rung. It must look for records once more before it returns to its loop. */
  arm(): void {
    Atomics.store(this.#word, 0, ARMED);
  }

  /** Main: it is awake and needs no ring. */
  disarm(): void {
    Atomics.store(this.#word, 0, OFF);
  }

  /** Worker: true for the one that must post the message. */
  press(): boolean {
    return Atomics.load(this.#word, 0) === ARMED && Atomics.compareExchange(this.#word, 0, ARMED, OFF) === ARMED;
  }
}
