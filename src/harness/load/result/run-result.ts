import type { StoredHistogram } from "../histogram/histogram.js";

/**
 * Why a request that was sent is not a success. Exactly one class each, so that
 * `sent = completed + Σ errors` holds for every run.
 */
export const errorClasses = [
  /** The connection was refused (nothing listens there). */
  "connect-refused",
  /** The connection could not be made for another reason (unreachable). */
  "connect-failed",
  /** The connection was not made within the time allowed: the peer drops what asks for one. */
  "connect-timeout",
  /** The TLS handshake failed: the server's certificate is not trusted, or it speaks no TLS. */
  "tls-failed",
  /** No local address and port was left to connect from (EADDRNOTAVAIL): all ports to this target are taken or in TIME_WAIT. */
  "no-local-port",
  /** The generator's process or the system has no file descriptor left (EMFILE, ENFILE). */
  "too-many-files",
  /** Open loop: no connection was free to send it on for as long as a request may take. */
  "not-sent",
  /** The peer reset the connection (ECONNRESET, EPIPE). */
  "reset",
  /** The peer closed before the first byte of the response. */
  "closed-early",
  /** Sent, and no complete response within the time allowed. */
  "timeout",
  /** The peer closed in the middle of a response: fewer bytes than it announced. */
  "short-body",
  /** Bytes beyond the end that the response announced. */
  "long-body",
  /** A whole response with a 2xx status whose body length differs from the first such one (ab's "Length"). */
  "wrong-length",
  /** With --verify: a whole response with a 2xx status and the expected length, with other bytes than expected. */
  "wrong-body",
  /** A whole response with a status outside 200–299. */
  "unexpected-status",
  /** Not HTTP/1.0 or 1.1, or a head over 64 KiB. */
  "malformed",
  /** Failed on its connection, which is all that the tool told: only in results of other generators (--driver). */
  "socket-error",
  /** Still unanswered when the run was stopped (Ctrl-C); the server may have handled it. Always 0 in a run that came to its end. */
  "interrupted",
] as const;

export type ErrorClass = (typeof errorClasses)[number];

/** The classes of requests that never left the generator: no server can have counted them. */
export const unsentClasses = [
  "connect-refused",
  "connect-failed",
  "connect-timeout",
  "tls-failed",
  "no-local-port",
  "too-many-files",
  "not-sent",
] as const satisfies readonly ErrorClass[];

/** Accounting without an error. */
export function noErrors(): Record<ErrorClass, number> {
  return Object.fromEntries(errorClasses.map((name) => [name, 0])) as Record<ErrorClass, number>;
}

/** One second of a run. */
export interface SecondResult {
  /** Requests that were completed in it. */
  readonly completed: number;
  /** Requests that failed in it. */
  readonly errors: number;
  /** 99th percentile of the total latencies of those completed in it, ns; 0 where there are none. */
  readonly p99: number;
}

/** How an open loop kept to its schedule. */
export interface OpenLoopResult {
  /** Requests per second asked for (--rate), after the ramp where there is one. */
  readonly rate: number;
  /** When requests were to be sent; absent in a result of an older version: "even". */
  readonly arrivals?: "even" | "poisson" | "recorded";
  /** Of random arrivals. */
  readonly seed?: number;
  /** For how long the rate rose; absent where it did not. */
  readonly rampSeconds?: number;
  /** Requests ÷ length of the schedule, where that is not `rate`: with a ramp. */
  readonly meanRate?: number;
  /** Requests that waited for a connection, since all were busy when they were due; absent in a result of an older version. */
  readonly waited?: number;
  /** Connections were made as requests needed them, and so many were allowed; absent where all took turns. */
  readonly connectionsAllowed?: number;
  /** Requests sent ÷ the length of the schedule, or the time to the last one's sending where that is longer (and, evenly spaced, a period more). */
  readonly achievedRate: number;
  /** How long after its intended time each request was sent, ns; what waited for a free connection included. `max` is the largest lag. */
  readonly lag: StoredHistogram;
  /** The same of those for which a connection was free: the generator's own error, which is in every latency. */
  readonly pacing: StoredHistogram;
}

/**
 * The measured window: from the start of the run until no request starts any more. Rates are of what was completed in it, over its
 * length; requests that were under way at its end are in the counts and latencies of the run.
 */
export interface RunWindow {
  /** Its length, seconds. */
  readonly seconds: number;
  /** Requests completed in it; the others of `completed` were completed after it. */
  readonly completed: number;
  /** Closed loop: how much of all total latencies lies after its end, seconds. In an open loop 0. */
  readonly latencyAfterSeconds: number;
}

/** What a run found of one kind of request. */
export interface KindResult {
  readonly name: string;
  readonly sent: number;
  readonly completed: number;
  readonly errors: Readonly<Record<ErrorClass, number>>;
  readonly statusCounts: Readonly<Record<string, number>>;
  /** Body bytes of its first success; where there is none, of its first response. */
  readonly documentBytes: number;
  /** Body bytes of whole responses. */
  readonly bodyBytes: number;
  /** Total latencies, ns. */
  readonly total: StoredHistogram;
}

/** What one run of the load generator found. Everything a report needs; times in nanoseconds unless the name says otherwise. */
export interface RunResult {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Path and query, as sent. Where there are several kinds of request, that of the URL. */
  readonly path: string;
  /** Of the request; where there are several kinds, "MIX". Absent in a result of an older version: "GET". */
  readonly method?: string;
  /** Bytes of its body; absent where it has none, or where there are several kinds. */
  readonly requestBodyBytes?: number;
  /** By kind of request, in the order they were asked for; absent where there is one. Counts add up to those of the run. */
  readonly kinds?: readonly KindResult[];
  /** Decides the order of kinds; absent where there is one. */
  readonly seed?: number;
  /**
   * Closed: every connection sends its next request when the last one is answered; latency is service time. Open: requests are sent at
   * times that are fixed beforehand; latency counts from these.
   */
  readonly loop: "closed" | "open";
  /** In an open loop. */
  readonly openLoop?: OpenLoopResult;
  readonly concurrency: number;
  readonly keepAlive: boolean;
  /** Requests asked for: by -n, or by --rate × --duration. Where only a duration was given to a closed loop, as many as it sent. */
  readonly requested: number;
  /** Seconds asked for (--duration), if any. */
  readonly requestedSeconds?: number;
  /** Requests started. A failed connect counts, it consumed a request, and so does one whose intended time passed unused. */
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
  /** With --variable-length: body bytes of the shortest and of the longest success, where these differ. */
  readonly bodyLengths?: { readonly shortest: number; readonly longest: number };
  /** Why the first connection that was not made was not, in the system's words; absent where all were made. */
  readonly connectFailure?: string;
  /** With --verify: SHA-256 that the bodies had to have, in hexadecimal; "" where none was given and no body was good. */
  readonly bodySha256?: string;
  /** All bytes read, heads included. */
  readonly totalBytes: number;
  /** Body bytes of whole responses. */
  readonly bodyBytes: number;
  /** From the first connect to the last response, seconds; where there are several threads, from the instant that all begin at. */
  readonly elapsedSeconds: number;
  /**
   * Absent where the whole run is the window: with so few requests that most of them were under way when the last one started, and in a
   * result of an older version or of another generator.
   */
  readonly window?: RunWindow;
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
    /** Connect + processing; in an open loop also the lag before. */
    readonly total: StoredHistogram;
  };
  /**
   * Seconds of the run from its start, by the time a request ended; the last one is cut short by the end of the run. A result of an
   * older version has none.
   */
  readonly perSecond?: readonly SecondResult[];
  /**
   * Where asked for (--by-first-byte): `total` by the first byte of the body as a character, "" for no body; else empty. For a handler
   * that answers in kinds, like /mixed, whose slow requests hide in the percentiles of all what they do to the fast ones.
   */
  readonly totalByFirstByte: Readonly<Record<string, StoredHistogram>>;
  /** What the generator itself spent in the window, until a connection had nothing more to send: above 80–90% of a core it may be the limit. */
  readonly generator: {
    /** Threads that sent requests, each with an event loop of its own; a result of an older version has none, and had one. */
    readonly threads?: number;
    /** Of all threads together. */
    readonly cpuUserMicros: number;
    readonly cpuSystemMicros: number;
    /** CPU time ÷ the time it was read over, the window: of one core, so that several threads may have more than 1. */
    readonly cpuShare: number;
    /** Active ÷ (active + idle) time of its event loop; of the fullest one where there are several. */
    readonly eventLoopUtilization: number;
    /** Longest event-loop delay of any thread, ms. */
    readonly eventLoopDelayMaxMs: number;
  };
}
