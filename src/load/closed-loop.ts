import type { Lane, Loop } from "./lane.js";
import type { Tally } from "./tally.js";

/** Every connection sends its next request when it has the answer to its last one. */
export class ClosedLoop implements Loop {
  readonly #tally: Tally;
  /** No request starts from then on, ms of performance.now(). */
  readonly #deadlineMs: number;
  readonly #onClosed: () => void;

  /** `onClosed` is called once for each lane, when there is nothing more to send. */
  constructor(tally: Tally, deadlineMs: number, onClosed: () => void) {
    this.#tally = tally;
    this.#deadlineMs = deadlineMs;
    this.#onClosed = onClosed;
  }

  free(lane: Lane, nowMs: number): void {
    if (nowMs < this.#deadlineMs && this.#tally.take()) {
      lane.start(nowMs, nowMs);
    } else {
      lane.close();
      this.#onClosed();
    }
  }

  checkTimeout(): void {}

  stop(): void {}
}
