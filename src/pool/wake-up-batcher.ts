import type { Parking } from "../shared/memory/parking.js";

/**
 * A wake-up waits for further ticks of the loop while each brings more requests, but for no more than these: a larger batch for one
 * wake-up is worth some µs. Measured at c=100 on one CPU for server and worker: 1.15 to 1.2 × the requests/s of waking every tick;
 * eight ticks serve no more than two, and c=10 then loses.
 */
const MAX_GATHER_TICKS = 2;

/** Wakes workers for new requests: once for all that a few ticks of the loop bring. Main thread only. */
export class WakeUpBatcher {
  readonly #parking: Parking;
  /** Requests published since workers were last woken. */
  #waiting = 0;
  /** How many of them the tick before knew, and how many ticks they have waited. */
  #gathered = 0;
  #ticks = 0;

  constructor(parking: Parking) {
    this.#parking = parking;
  }

  /** Whether the next request is the first since the last wake-up. */
  get isQuiet(): boolean {
    return this.#waiting === 0;
  }

  /** One more request is about to be published, in this tick of the event loop. */
  add(): void {
    if (this.#waiting++ === 0) setImmediate(this.#announce);
  }

  /** Runs after a tick of the event loop: waits for another one while they bring requests, then wakes as many workers as there is work. */
  readonly #announce = (): void => {
    if (this.#waiting > this.#gathered && this.#ticks < MAX_GATHER_TICKS) {
      this.#gathered = this.#waiting;
      this.#ticks++;
      setImmediate(this.#announce);
      return;
    }
    this.#parking.wake(this.#waiting);
    this.#waiting = 0;
    this.#gathered = 0;
    this.#ticks = 0;
  };
}
