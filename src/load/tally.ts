import { Histogram } from "./histogram.js";
import { type ErrorClass, errorClasses } from "./run-result.js";

/** How one request of a run went, in times of one clock, ms. */
export interface Timing {
  /** 0 on a connection that was open already. */
  readonly connectMs: number;
  /** From the request written to the first byte of the response. */
  readonly waitingMs: number;
  /** From the request written to the last byte. */
  readonly processingMs: number;
}

const NS_PER_MS = 1e6;

/**
 * The books of one run: every request that is started is taken from here, and ends here exactly once, as completed or in one
 * class of error. `sent = completed + Σ errors + in flight` holds at every moment.
 */
export class Tally {
  readonly requested: number;
  sent = 0;
  completed = 0;
  readonly errors: Record<ErrorClass, number>;
  readonly statusCounts: Record<string, number> = {};
  keepAliveResponses = 0;
  documentBytes = 0;
  totalBytes = 0;
  bodyBytes = 0;
  readonly connect = new Histogram();
  readonly processing = new Histogram();
  readonly waiting = new Histogram();
  readonly total = new Histogram();
  /** `total` by the first byte of the body, where that is asked for. */
  readonly totalByFirstByte = new Map<number, Histogram>();
  readonly #byFirstByte: boolean;
  #open = 0;
  #peakConnections = 0;
  /** Body length that later responses must have; set by the first success. */
  #expectedBytes = -1;
  #responses = 0;
  #stopped = false;

  constructor(requested: number, byFirstByte: boolean) {
    this.requested = requested;
    this.#byFirstByte = byFirstByte;
    this.errors = Object.fromEntries(errorClasses.map((name) => [name, 0])) as Record<ErrorClass, number>;
  }

  /** Takes one request to send; false when all are taken or the run was stopped. */
  take(): boolean {
    if (this.#stopped || this.sent >= this.requested) return false;
    this.sent++;
    return true;
  }

  /** No more requests are given out; those in flight end as they do. */
  stop(): void {
    this.#stopped = true;
  }

  get peakConnections(): number {
    return this.#peakConnections;
  }

  connectionOpened(): void {
    this.#open++;
    if (this.#open > this.#peakConnections) this.#peakConnections = this.#open;
  }

  connectionClosed(): void {
    this.#open--;
  }

  fail(errorClass: ErrorClass): void {
    this.errors[errorClass]++;
  }

  /** A whole response: a success, or one of the two errors that a whole response can be. */
  respond(
    response: {
      readonly status: number;
      readonly bodyBytes: number;
      /** −1 for a body without one. */
      readonly firstByte: number;
      readonly reusable: boolean;
    },
    timing: Timing,
  ): void {
    const { status, bodyBytes } = response;
    this.statusCounts[status] = (this.statusCounts[status] ?? 0) + 1;
    if (this.#responses++ === 0) this.documentBytes = bodyBytes;
    if (response.reusable) this.keepAliveResponses++;
    this.bodyBytes += bodyBytes;
    if (status < 200 || status > 299) {
      this.fail("unexpected-status");
      return;
    }
    if (this.#expectedBytes === -1) {
      this.#expectedBytes = bodyBytes;
      this.documentBytes = bodyBytes;
    }
    if (bodyBytes !== this.#expectedBytes) {
      this.fail("wrong-length");
      return;
    }
    this.completed++;
    this.connect.record(timing.connectMs * NS_PER_MS);
    this.waiting.record(timing.waitingMs * NS_PER_MS);
    this.processing.record(timing.processingMs * NS_PER_MS);
    const totalNs = (timing.connectMs + timing.processingMs) * NS_PER_MS;
    this.total.record(totalNs);
    if (this.#byFirstByte) this.#totalOf(response.firstByte).record(totalNs);
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
