import { Histogram } from "../histogram/histogram.js";
import { isExpected, type StatusRange } from "../request/status.js";
import { type ErrorClass, type KindResult, noErrors } from "../result/run-result.js";
import type { SharedRunState } from "./shared-run-state.js";

/** What the accounting of one kind expect. */
export interface KindExpectations {
  readonly name: string;
  readonly statuses: readonly StatusRange[] | null;
  /** Bodies may differ in length. */
  readonly variableLength: boolean;
  /** SHA-256 that bodies must have; "": that of the first good one; null: they are not looked at. */
  readonly bodySha256: string | null;
}

/** The accounting of one kind of request in one thread's run. */
export class KindTally {
  completed = 0;
  readonly errors = noErrors();
  readonly statusCounts: Record<string, number> = {};
  documentBytes = 0;
  bodyBytes = 0;
  /** Body bytes of the shortest and of the longest success. */
  shortest = Number.POSITIVE_INFINITY;
  longest = 0;
  /** Total latencies; null where the run has no other kind, so that they are those of the run. */
  readonly total: Histogram | null;
  readonly #number: number;
  readonly #shared: SharedRunState;
  readonly #expected: KindExpectations;
  /** Body length of the run's first success of this kind; −1 before it. */
  #firstBytes = -1;
  /** Hash that bodies must have; "" before the first success where none was given. */
  #sha256: string | null;
  #responses = 0;

  constructor(number: number, expected: KindExpectations, shared: SharedRunState, alone: boolean) {
    this.#number = number;
    this.#expected = expected;
    this.#shared = shared;
    this.#sha256 = expected.bodySha256;
    this.total = alone ? null : new Histogram();
  }

  /** The hash that bodies must have; null where they are not looked at. */
  get bodySha256(): string | null {
    return this.#sha256;
  }

  /** Takes a whole response, and says what is wrong with it; null: it is a success. */
  errorClassOf(status: number, bodyBytes: number, sha256: string): ErrorClass | null {
    if (this.#responses++ === 0) this.documentBytes = bodyBytes;
    this.bodyBytes += bodyBytes;
    if (!isExpected(status, this.#expected.statuses)) return "unexpected-status";
    if (this.#firstBytes === -1) {
      const given = this.#sha256;
      if (given !== null && given !== "" && sha256 !== given) return "wrong-body";
      const first = this.#shared.firstBody(this.#number, { bodyBytes, sha256 });
      this.#firstBytes = first.bodyBytes;
      this.documentBytes = first.bodyBytes;
      if (given !== null) this.#sha256 = first.sha256;
    }
    if (bodyBytes !== this.#firstBytes && !this.#expected.variableLength) return "wrong-length";
    if (this.#sha256 !== null && sha256 !== this.#sha256) return "wrong-body";
    if (bodyBytes < this.shortest) this.shortest = bodyBytes;
    if (bodyBytes > this.longest) this.longest = bodyBytes;
    return null;
  }

  /** As a thread reports it. */
  toResult(): KindResult {
    const failed = Object.values(this.errors).reduce((sum, count) => sum + count, 0);
    return {
      name: this.#expected.name,
      sent: this.completed + failed,
      completed: this.completed,
      errors: this.errors,
      statusCounts: this.statusCounts,
      documentBytes: this.documentBytes,
      bodyBytes: this.bodyBytes,
      total: (this.total ?? new Histogram()).toStored(),
    };
  }
}
