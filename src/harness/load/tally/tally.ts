import { Histogram } from "../histogram/histogram.js";
import { type ErrorClass, noErrors } from "../result/run-result.js";
import { type KindExpectations, KindTally } from "./kind-tally.js";
import { Series, type ThreadSecond } from "./series.js";
import type { SharedRunState } from "./shared-run-state.js";

/** What the accounting expect. */
export interface Expectations {
  /** Requests that this thread has to send, whatever others do; Infinity where something else ends the run. */
  readonly requests: number;
  /** What it has in shared with the other threads of the run. */
  readonly shared: SharedRunState;
  /** Is given each second of the run when it is over. */
  readonly onSecond: (second: ThreadSecond) => void;
  /** Latencies are recorded by the first byte of the body, too. */
  readonly byFirstByte: boolean;
  /** By number of the kind, at least one. */
  readonly kinds: readonly KindExpectations[];
}

/** A whole response. */
export interface Response {
  /** Number of its request's kind. */
  readonly kind: number;
  readonly status: number;
  readonly bodyBytes: number;
  /** Of the body; −1 for a body without one. */
  readonly firstByte: number;
  /** SHA-256 of the body; "" where it was not looked at. */
  readonly sha256: string;
  /** The connection can be used again. */
  readonly reusable: boolean;
}

/** How one request of a run went, in times of one clock, ms. */
export interface Timing {
  /** When the last byte had arrived. */
  readonly nowMs: number;
  /** 0 on a connection that was open already. */
  readonly connectMs: number;
  /** From the request written to the first byte of the response. */
  readonly waitingMs: number;
  /** From the request written to the last byte. */
  readonly processingMs: number;
  /** From the time at which the request was to be sent to the last byte. */
  readonly totalMs: number;
}

const NS_PER_MS = 1e6;

/**
 * The accounting of one thread's run: every request that is started is taken from here, and ends here exactly once, as completed or in one
 * class of error. `sent = completed + Σ errors + in flight` holds at every moment.
 */
export class Tally {
  sent = 0;
  completed = 0;
  failed = 0;
  readonly errors = noErrors();
  readonly statusCounts: Record<string, number> = {};
  keepAliveResponses = 0;
  totalBytes = 0;
  /** Why the first connection that was not made was not, in the system's words; "" where all were made. */
  connectFailure = "";
  readonly connect = new Histogram();
  readonly processing = new Histogram();
  readonly waiting = new Histogram();
  readonly total = new Histogram();
  /** `total` by the first byte of the body, where that is asked for. */
  readonly totalByFirstByte = new Map<number, Histogram>();
  readonly series: Series;
  /** The accounting of each kind of request, by its number. */
  readonly kinds: readonly KindTally[];
  readonly #own: number;
  readonly #shared: SharedRunState;
  readonly #byFirstByte: boolean;
  #stopped = false;

  constructor({ requests, shared, onSecond, byFirstByte, kinds }: Expectations) {
    this.series = new Series(this, onSecond);
    this.#own = requests;
    this.#shared = shared;
    this.#byFirstByte = byFirstByte;
    this.kinds = kinds.map((kind, number) => new KindTally(number, kind, shared, kinds.length === 1));
  }

  /** Takes one request to send; false when all are taken or the run was stopped. */
  take(): boolean {
    if (this.#stopped || (this.sent >= this.#own && !this.#shared.takeRequest())) return false;
    this.sent++;
    return true;
  }

  /** No more requests are given out; those in flight end as they do. */
  stop(): void {
    this.#stopped = true;
  }

  /** There is none to take any more. */
  get exhausted(): boolean {
    return this.#stopped || (this.sent >= this.#own && !this.#shared.hasRequest);
  }

  connectionOpened(): void {
    this.#shared.connectionOpened();
  }

  connectionClosed(): void {
    this.#shared.connectionClosed();
  }

  fail(errorClass: ErrorClass, nowMs: number, kind: number): void {
    this.series.reach(nowMs);
    this.errors[errorClass]++;
    this.failed++;
    this.kinds[kind]!.errors[errorClass]++;
  }

  /** A whole response: a success, for which it answers true, or one of the three errors that a whole response can be. */
  respond(response: Response, timing: Timing): boolean {
    const { status } = response;
    const kind = this.kinds[response.kind]!;
    this.statusCounts[status] = (this.statusCounts[status] ?? 0) + 1;
    if (response.reusable) this.keepAliveResponses++;
    const errorClass = kind.errorClassOf(status, response.bodyBytes, response.sha256);
    if (kind.total !== null) kind.statusCounts[status] = (kind.statusCounts[status] ?? 0) + 1;
    if (errorClass !== null) {
      this.fail(errorClass, timing.nowMs, response.kind);
      return false;
    }
    this.series.reach(timing.nowMs);
    this.completed++;
    kind.completed++;
    this.connect.record(timing.connectMs * NS_PER_MS);
    this.waiting.record(timing.waitingMs * NS_PER_MS);
    this.processing.record(timing.processingMs * NS_PER_MS);
    const totalNs = timing.totalMs * NS_PER_MS;
    this.total.record(totalNs);
    kind.total?.record(totalNs);
    if (this.#byFirstByte) this.#totalOf(response.firstByte).record(totalNs);
    return true;
  }

  #totalOf(firstByte: number): Histogram {
    let total = this.totalByFirstByte.get(firstByte);
    if (total === undefined) {
      total = new Histogram();
      this.totalByFirstByte.set(firstByte, total);
    }
    return total;
  }
}
