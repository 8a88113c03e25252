import type { StoredHistogram } from "./histogram.js";

/**
 * Why a request that was sent is not a success. Exactly one class each, so that
 * `sent = completed + Σ errors` holds for every run.
 */
export const errorClasses = [
  /** The connection was refused (nothing listens there). */
  "connect-refused",
  /** The connection could not be made for another reason (unreachable, out of ports or descriptors). */
  "connect-failed",
  /** The peer reset the connection (ECONNRESET, EPIPE). */
  "reset",
  /** The peer closed before the first byte of the response. */
  "closed-early",
  /** No complete response within the time allowed. */
  "timeout",
  /** The peer closed in the middle of a response: fewer bytes than it announced. */
  "short-body",
  /** A whole response with a 2xx status whose body length differs from the first such one (ab's "Length"). */
  "wrong-length",
  /** A whole response with a status outside 200–299. */
  "unexpected-status",
  /** Not HTTP/1.0 or 1.1, a head over 64 KiB, or bytes beyond the end of a response. */
  "malformed",
  /** Still unanswered when the run was stopped (Ctrl-C); the server may have handled it. Always 0 in a run that came to its end. */
  "interrupted",
] as const;

export type ErrorClass = (typeof errorClasses)[number];

/** What one run of the load generator found. Everything a report needs; times in nanoseconds unless the name says otherwise. */
export interface RunResult {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Path and query, as sent. */
  readonly path: string;
  /** Closed loop: every connection sends its next request when the last one is answered; latency is service time. */
  readonly loop: "closed";
  readonly concurrency: number;
  readonly keepAlive: boolean;
  /** Requests asked for (-n). */
  readonly requested: number;
  /** Requests started. A failed connect counts: it consumed a request. */
  readonly sent: number;
  /** Whole responses with a 2xx status and the expected length. */
  readonly completed: number;
  readonly errors: Readonly<Record<ErrorClass, number>>;
  /** Whole responses by status, the unexpected ones included. */
  readonly statusCounts: Readonly<Record<string, number>>;
  /** Responses after which the connection could be used again (ab's "Keep-Alive requests"). */
  readonly keepAliveResponses: number;
  /** The most connections that were open at one time: fewer than `concurrency` makes a run invalid. */
  readonly peakConnections: number;
  /** From the `Server` header of the first response (µWS: the `uWebSockets` header); "" where there is none. */
  readonly serverSoftware: string;
  /** Body bytes of the first response with a 2xx status; where there is none, of the first response. */
  readonly documentBytes: number;
  /** All bytes read, heads included. */
  readonly totalBytes: number;
  /** Body bytes of whole responses. */
  readonly bodyBytes: number;
  /** From the first connect to the last response, seconds. */
  readonly elapsedSeconds: number;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** Latencies of completed requests, ns: ab's four rows. With keep-alive only the first request of a connection has a connect time above 0. */
  readonly latency: {
    /** Time to make the connection. */
    readonly connect: StoredHistogram;
    /** From the request written to the last byte of its response. */
    readonly processing: StoredHistogram;
    /** From the request written to the first byte of its response. */
    readonly waiting: StoredHistogram;
    /** Connect + processing. */
    readonly total: StoredHistogram;
  };
  /**
   * Where asked for (--by-first-byte): `total` by the first byte of the body as a character, "" for no body; else empty. For a handler
   * that answers in kinds, like /mixed, whose slow requests hide in the percentiles of all what they do to the fast ones.
   */
  readonly totalByFirstByte: Readonly<Record<string, StoredHistogram>>;
  /** What the generator itself spent in the window: above 80–90% of a core it may be the limit. */
  readonly generator: {
    readonly cpuUserMicros: number;
    readonly cpuSystemMicros: number;
    /** CPU time ÷ elapsed time, of one core. */
    readonly cpuShare: number;
    /** Active ÷ (active + idle) time of its event loop. */
    readonly eventLoopUtilization: number;
    /** Longest event-loop delay, ms. */
    readonly eventLoopDelayMaxMs: number;
  };
}
