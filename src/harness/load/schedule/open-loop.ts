import type { Connection, Loop } from "../connection/connection.js";
import { Histogram, type StoredHistogram } from "../histogram/histogram.js";
import type { Tally } from "../tally/tally.js";
import type { PartialWindow } from "../tally/window.js";

const NS_PER_MS = 1e6;
/**
 * Timers fire up to a millisecond late, and epoll counts in milliseconds. So a timer ends so long before a request is due, and from
 * then on the event loop is asked to come back at once, over and over: it takes what arrives, and looks at the clock.
 */
const SPIN_MS = 2;

export interface OpenLoopSettings {
  /** Gives the instants of this thread's requests, ms from the start, ascending. */
  readonly instants: () => number;
  /** Connections at most. */
  readonly concurrency: number;
  /** Makes one more connection, where no connection is free and there may be more. */
  readonly grow: () => Connection;
  /** Number of the kind of a request that is given up before it was sent. */
  readonly skip: () => number;
  /** A request that has waited so long for a connection is not sent any more. */
  readonly timeoutMs: number;
  /** Length of the schedule. */
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
 * Requests are sent at times that are fixed before the run, whatever the server does, each on the connection that has been free the longest, so
 * that the connections take turns and their phases are staggered; where none is free and there may be more, on a new one.
 *
 * A request for which no connection is free waits, in order, and is sent when one is. Its latency counts from its intended time, and no
 * intended time is moved or left out: what a stall delays is measured as what its users would have seen (no coordinated omission;
 * Gil Tene, "How NOT to Measure Latency").
 */
export class OpenLoop implements Loop {
  readonly #tally: Tally;
  readonly #settings: OpenLoopSettings;
  readonly #onClosed: () => void;
  #startMs = 0;
  /** When the next request is due. */
  #dueMs = 0;
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
  /** All there are. */
  #laneCount = 0;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  readonly #lag = new Histogram();
  readonly #pacing = new Histogram();

  /** `onClosed` is called once for each connection, when there is nothing more to send. */
  constructor(tally: Tally, settings: OpenLoopSettings, onClosed: () => void) {
    this.#tally = tally;
    this.#settings = settings;
    this.#onClosed = onClosed;
    this.#free = new Array<Connection | undefined>(settings.concurrency).fill(undefined);
    this.#freeSinceMs = new Float64Array(settings.concurrency);
  }

  start(connections: readonly Connection[], startMs: number): void {
    this.#startMs = startMs;
    this.#lastSentMs = startMs;
    this.#endsAfterMs = this.#settings.scheduleMs;
    this.#endMs = startMs + this.#endsAfterMs;
    this.#laneCount = connections.length;
    for (const connection of connections) this.#push(connection, startMs);
    this.#plan();
    this.#send(performance.now());
  }

  free(connection: Connection, nowMs: number): void {
    if (connection.succeeded && connection.endedMs > this.#endMs) this.#completedAfter++;
    this.#push(connection, nowMs);
    this.#send(nowMs);
  }

  /** What has waited for a connection for longer than a request may take is given up; the scan of the connections sees to the others. */
  checkTimeout(nowMs: number): void {
    while (this.#freeCount === 0 && nowMs - this.#dueMs > this.#settings.timeoutMs && this.#tally.take()) {
      this.#plan();
      this.#tally.fail("not-sent", nowMs, this.#settings.skip());
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

  #plan(): void {
    this.#dueMs = this.#startMs + this.#settings.instants();
  }

  /** Sends what is due over connections that are free. */
  #send(startMs: number): void {
    let nowMs = startMs;
    while (this.#freeCount > 0 || this.#mayGrow) {
      if (this.#tally.exhausted) {
        this.#closeFree();
        return;
      }
      const dueMs = this.#dueMs;
      if (dueMs > nowMs) break;
      this.#tally.take();
      this.#plan();
      if (this.#freeCount === 0) {
        this.#laneCount++;
        this.#push(this.#settings.grow(), dueMs);
      }
      const freeSinceMs = this.#freeSinceMs[this.#head]!;
      const connection = this.#shift();
      this.#lag.record((nowMs - dueMs) * NS_PER_MS);
      if (freeSinceMs <= dueMs) this.#pacing.record((nowMs - dueMs) * NS_PER_MS);
      this.#lastSentMs = nowMs;
      connection.start(dueMs, nowMs);
      nowMs = performance.now();
    }
    this.#comeBack(nowMs);
  }

  get #mayGrow(): boolean {
    return this.#laneCount < this.#settings.concurrency;
  }

  /** Comes back when the next request is due. Where no connection is free or can be made, the next one to be free looks what is due. */
  #comeBack(nowMs: number): void {
    if ((this.#freeCount === 0 && !this.#mayGrow) || this.#timer !== undefined || this.#immediate !== undefined) return;
    const sleepMs = Math.floor(this.#dueMs - nowMs - SPIN_MS);
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
