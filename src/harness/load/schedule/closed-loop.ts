import type { Connection, Loop } from "../connection/connection.js";
import type { Tally } from "../tally/tally.js";
import type { PartialWindow } from "../tally/window.js";

/**
 * Every connection sends its next request when it has the answer to its last one. What is read in one tick of the event loop is read
 * before anything is written: a turn for reading and one for writing cost less than both in turns, and wake the server less often. The
 * wait in between belongs to the request: it counts from the answer before.
 */
export class ClosedLoop implements Loop {
  readonly #tally: Tally;
  readonly #durationMs: number;
  /** No request starts from then on, ms of performance.now(). */
  #deadlineMs = Number.POSITIVE_INFINITY;
  readonly #onClosed: () => void;
  /** Connections that have had their answers in this turn, and when: the first `#freed` of each. */
  readonly #connections: Connection[] = [];
  readonly #sinceMs: number[] = [];
  #freed = 0;
  #startMs = 0;
  /** When the last request so far was started. */
  #lastStartMs = 0;
  /** When each connection's last request ended, of those that were a success, ms of performance.now(). */
  readonly #lastEndsMs: number[] = [];

  /** After `durationMs`, which may be Infinity, no request starts. `onClosed` is called once for each connection, when there is nothing more to send. */
  constructor(tally: Tally, durationMs: number, onClosed: () => void) {
    this.#tally = tally;
    this.#durationMs = durationMs;
    this.#onClosed = onClosed;
  }

  start(connections: readonly Connection[], startMs: number): void {
    this.#startMs = startMs;
    this.#lastStartMs = startMs;
    this.#deadlineMs = startMs + this.#durationMs;
    for (const connection of connections) this.#next(connection, performance.now());
  }

  free(connection: Connection, nowMs: number): void {
    if (!connection.connected) {
      // A connect time is the network's and the server's: it holds no wait.
      this.#next(connection, nowMs);
      return;
    }
    this.#connections[this.#freed] = connection;
    this.#sinceMs[this.#freed] = nowMs;
    if (this.#freed++ === 0) setImmediate(this.#nextOfAll);
  }

  checkTimeout(): void {}

  stop(): void {}

  window(): PartialWindow {
    return {
      endsAfterMs: this.#tally.exhausted ? this.#lastStartMs - this.#startMs : this.#durationMs,
      lastEndsMs: this.#lastEndsMs.map((ms) => ms - this.#startMs),
      completedAfter: 0,
    };
  }

  readonly #nextOfAll = (): void => {
    for (let i = 0; i < this.#freed; i++) this.#next(this.#connections[i]!, this.#sinceMs[i]!);
    this.#freed = 0;
  };

  #next(connection: Connection, sinceMs: number): void {
    if (sinceMs < this.#deadlineMs && this.#tally.take()) {
      this.#lastStartMs = sinceMs;
      connection.start(sinceMs, sinceMs);
    } else {
      if (connection.succeeded) this.#lastEndsMs.push(connection.endedMs);
      connection.close();
      this.#onClosed();
    }
  }
}
