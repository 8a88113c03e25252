import type { Connection, Loop } from "./connection.js";
import { Histogram, type StoredHistogram } from "./histogram.js";
import type { Tally } from "./tally.js";
import type { PartialWindow } from "./window.js";

const NS_PER_MS = 1e6;
/**
 * Timers fire up to a millisecond late, and epoll counts in milliseconds. So a timer ends so long before a request is due, and from
 * then on the event loop is asked to come back at once, over and over: it takes what arrives, and looks at the clock.
 */
const SPIN_MS = 2;

export interface OpenLoopSettings {
  /** Requests per second over all connections of all threads. */
  readonly rate: number;
  /** Threads that share the schedule, and the number of this one, from 0: its requests are `thread`, `thread + threads`, … */
  readonly threads: number;
  readonly thread: number;
  /** Number of connections. */
  readonly concurrency: number;
  /** A request that has waited so long for a connection is not sent any more. */
  readonly timeoutMs: number;
  /** Length of the schedule: from the start to one period after the last intended time, or the duration. */
  readonly scheduleMs: number;
}

/** How one thread kept to its part of the schedule; the histograms are those of the result. */
export interface PartialOpenLoop {
  readonly lag: StoredHistogram;
  readonly pacing: StoredHistogram;
  /** From the start of the run to its last sending; 0 where it sent none. */
  readonly lastSentAfterMs: number;
}

/**
 * Requests are sent at times that are fixed before the run, whatever the server does: number k at start + k ÷ rate, each on the connection
 * that has been free the longest, so that the connections take turns and their phases are staggered.
 *
 * A request for which no connection is free waits, in order, and is sent when one is. Its latency counts from its intended time, and no
 * intended time is moved or left out: what a stall delays is measured as what its users would have seen (no coordinated omission;
 * Gil Tene, "How NOT to Measure Latency").
 */
export class OpenLoop implements Loop {
  readonly #tally: Tally;
  readonly #settings: OpenLoopSettings;
  readonly #periodMs: number;
  readonly #onClosed: () => void;
  /** When request 0 is due. */
  #startMs = 0;
  /** Number of the next request. */
  #next: number;
  #lastSentMs = 0;
  /** When the schedule is over, or the run was stopped: after so long. */
  #endMs = 0;
  #endsAfterMs = 0;
  #completedAfter = 0;
  /** Connections that are free, and since when: a ring, the one that has waited longest at `#head`. */
  readonly #free: (Connection | undefined)[];
  readonly #freeSinceMs: Float64Array;
  #head = 0;
  #freeCount = 0;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  readonly #lag = new Histogram();
  readonly #pacing = new Histogram();

  /** `onClosed` is called once for each connection, when there is nothing more to send. */
  constructor(tally: Tally, settings: OpenLoopSettings, onClosed: () => void) {
    this.#tally = tally;
    this.#settings = settings;
    this.#periodMs = 1000 / settings.rate;
    this.#next = settings.thread;
    this.#onClosed = onClosed;
    this.#free = new Array<Connection | undefined>(settings.concurrency).fill(undefined);
    this.#freeSinceMs = new Float64Array(settings.concurrency);
  }

  start(connections: readonly Connection[], startMs: number): void {
    this.#startMs = startMs;
    this.#lastSentMs = startMs;
    this.#endsAfterMs = this.#settings.scheduleMs;
    this.#endMs = startMs + this.#endsAfterMs;
    for (const connection of connections) this.#push(connection, startMs);
    this.#send(performance.now());
  }

  free(connection: Connection, nowMs: number): void {
    if (connection.succeeded && connection.endedMs > this.#endMs) this.#completedAfter++;
    this.#push(connection, nowMs);
    this.#send(nowMs);
  }

  /** What has waited for a connection for longer than a request may take is given up; the scan of the connections sees to the others. */
  checkTimeout(nowMs: number): void {
    while (this.#freeCount === 0 && nowMs - this.#dueMs() > this.#settings.timeoutMs && this.#tally.take()) {
      this.#next += this.#settings.threads;
      this.#tally.fail("not-sent", nowMs);
    }
  }

  stop(): void {
    this.#endsAfterMs = Math.min(this.#endsAfterMs, performance.now() - this.#startMs);
    this.#endMs = this.#startMs + this.#endsAfterMs;
    this.#closeFree();
  }

  window(): PartialWindow {
    return { endsAfterMs: this.#endsAfterMs, lastEndsMs: [], completedAfter: this.#completedAfter };
  }

  toPartial(): PartialOpenLoop {
    return {
      lag: this.#lag.toStored(),
      pacing: this.#pacing.toStored(),
      lastSentAfterMs: this.#lastSentMs - this.#startMs,
    };
  }

  /** When the next request is due. From the number, so that no rounding adds up. */
  #dueMs(): number {
    return this.#startMs + this.#next * this.#periodMs;
  }

  /** Sends what is due over connections that are free. */
  #send(startMs: number): void {
    let nowMs = startMs;
    while (this.#freeCount > 0) {
      if (this.#tally.exhausted) {
        this.#closeFree();
        return;
      }
      const dueMs = this.#dueMs();
      if (dueMs > nowMs) break;
      this.#tally.take();
      this.#next += this.#settings.threads;
      const freeSinceMs = this.#freeSinceMs[this.#head]!;
      const connection = this.#shift();
      this.#lag.record((nowMs - dueMs) * NS_PER_MS);
      if (freeSinceMs <= dueMs) this.#pacing.record((nowMs - dueMs) * NS_PER_MS);
      this.#lastSentMs = nowMs;
      connection.start(dueMs, nowMs);
      nowMs = performance.now();
    }
    this.#plan(nowMs);
  }

  /** Comes back when the next request is due. Where no connection is free, the next one to be free looks what is due. */
  #plan(nowMs: number): void {
    if (this.#freeCount === 0 || this.#timer !== undefined || this.#immediate !== undefined) return;
    const sleepMs = Math.floor(this.#dueMs() - nowMs - SPIN_MS);
    if (sleepMs >= 1) this.#timer = setTimeout(this.#tick, sleepMs);
    else this.#immediate = setImmediate(this.#tick);
  }

  readonly #tick = (): void => {
    this.#timer = undefined;
    this.#immediate = undefined;
    this.#send(performance.now());
  };

  #push(connection: Connection, nowMs: number): void {
    const tail = (this.#head + this.#freeCount++) % this.#free.length;
    this.#free[tail] = connection;
    this.#freeSinceMs[tail] = nowMs;
  }

  #shift(): Connection {
    const connection = this.#free[this.#head]!;
    this.#free[this.#head] = undefined;
    this.#head = (this.#head + 1) % this.#free.length;
    this.#freeCount--;
    return connection;
  }

  #closeFree(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    while (this.#freeCount > 0) {
      this.#shift().close();
      this.#onClosed();
    }
  }
}
