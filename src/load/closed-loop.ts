import type { Lane, Loop } from "./lane.js";
import type { Tally } from "./tally.js";

/** Every connection sends its next request when it has the answer to its last one. */
export class ClosedLoop implements Loop {
  readonly #tally: Tally;
  readonly #durationMs: number;
  /** No request starts from then on, ms of performance.now(). */
  #deadlineMs = Number.POSITIVE_INFINITY;
  readonly #onClosed: () => void;

  /** After `durationMs`, which may be Infinity, no request starts. `onClosed` is called once for each lane, when there is nothing more to send. */
  constructor(tally: Tally, durationMs: number, onClosed: () => void) {
    this.#tally = tally;
    this.#durationMs = durationMs;
    this.#onClosed = onClosed;
  }

  start(lanes: readonly Lane[], startMs: number): void {
    this.#deadlineMs = startMs + this.#durationMs;
    for (const lane of lanes) this.free(lane, performance.now());
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
