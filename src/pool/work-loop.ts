import type { ClaimRing } from "../shared/memory/claim-ring.js";
import type { Parking } from "../shared/memory/parking.js";

/**
 * Requests that may be pending in one worker at once: it claims no more until one of them is settled. What comes then is for the other
 * workers, or waits in the ring.
 */
export const MAX_PENDING = 1024;

/**
 * How long a worker may go on without its event loop: while promises of handlers are pending there, and while none is. Timers, I/O and
 * `console.log` of the handlers' module happen only in that loop. A pass through it takes 3 to 5 µs, so 4 ms cost a thousandth.
 */
const MAX_BUSY_MS = { pending: 1, none: 4 } as const;

/**
 * How long a worker without work stands still before it waits in its event loop instead. To wake a thread that stands still is cheaper,
 * but nothing else runs in it meanwhile: no timer, no I/O, no output. Under load the next request comes long before.
 */
const STANDSTILL_MS = 4;

/** What a worker's loop works with. */
export interface WorkLoopOptions {
  readonly worker: number;
  readonly requests: ClaimRing;
  readonly parking: Parking;
  /** Runs the handler of a claimed slot. Whatever it throws ends the worker. */
  readonly serve: (slot: number) => void;
  /** The worker was told to end and holds nothing. */
  readonly onRetired: () => void;
  /** The loop itself failed, which must end the thread: it would look alive and never claim again. */
  readonly onFailed: (error: unknown) => void;
}

/**
 * How a worker spends its time: it claims and serves requests, goes through its event loop at bounded intervals, and sleeps when there is
 * nothing to do. A short sleep stands still in Atomics.wait; a longer one is an asynchronous wait, during which the event loop runs.
 */
export class WorkLoop {
  readonly #options: WorkLoopOptions;
  /** Requests whose handler returned a promise that is not settled yet. */
  #pending = 0;
  /** Responses that are made while they are sent, in the event loop. */
  #streams = 0;
  /** It has as many pending as it may, or was told to end while promises or streams are left: it goes on when one of them has ended. */
  #isResting = false;

  constructor(options: WorkLoopOptions) {
    this.#options = options;
  }

  /** A handler returned a promise. */
  deferred(): void {
    this.#pending++;
  }

  /** That promise is settled. */
  settled(): void {
    this.#pending--;
    this.#goOn();
  }

  /** A stream has begun (1), or has ended (−1). */
  countStream(change: number): void {
    this.#streams += change;
    if (change < 0) this.#goOn();
  }

  #goOn(): void {
    if (!this.#isResting) return;
    this.#isResting = false;
    setImmediate(this.run);
  }

  /** Whether something goes on in the event loop. */
  get #isAwaited(): boolean {
    return this.#pending + this.#streams > 0;
  }

  /** Begins, in the event loop; comes back to it by itself from then on. */
  readonly run = (): void => {
    try {
      this.#work(performance.now());
    } catch (error) {
      this.#options.onFailed(error);
    }
  };

  /** `cameMs`: when it came from the event loop. */
  #work(cameMs: number): void {
    const { worker, requests, parking, serve, onRetired } = this.#options;
    for (;;) {
      // Main tells by it a worker that has stopped looking for work.
      parking.noteLook(worker);
      this.#isResting = this.#pending >= MAX_PENDING;
      if (this.#isResting) return;
      for (let slot = requests.claim(worker); slot !== -1; slot = requests.claim(worker)) {
        serve(slot);
        if (this.#pending >= MAX_PENDING || this.#isLoopDue(cameMs)) {
          setImmediate(this.run);
          return;
        }
      }
      if (!parking.announce(worker)) {
        this.#isResting = this.#isAwaited;
        if (!this.#isResting) onRetired();
        return;
      }
      if (!requests.isEmpty) {
        parking.leave(worker);
        continue;
      }
      if (!this.#isAwaited && parking.wait(worker, STANDSTILL_MS)) {
        if (!this.#isLoopDue(cameMs)) continue;
        setImmediate(this.run);
        return;
      }
      const woken = parking.waitAsync(worker);
      if (woken === undefined) continue;
      woken.then(this.run);
      return;
    }
  }

  #isLoopDue(cameMs: number): boolean {
    return performance.now() - cameMs > (this.#isAwaited ? MAX_BUSY_MS.pending : MAX_BUSY_MS.none);
  }
}
