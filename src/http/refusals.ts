import { STATUS_CODES } from "node:http";
import { type HandlerResponse, HeaderBlock, PLAIN_TEXT, textResponse } from "../shared/handlers/handler.js";
import type { Route } from "../shared/handlers/route.js";
import { Counter } from "../shared/stats/stats.js";

/** A request that the adapter answers itself, in any adapter: no core sees it. */
export interface Refusal {
  readonly response: HandlerResponse;
  /** What counts it; null: its status says enough. */
  readonly counter: Counter | null;
  /** Where the next request begins is not certain, or not worth waiting for: the connection is closed. */
  readonly closes: boolean;
}

function refusal(
  status: number,
  why: string,
  counter: Counter | null,
  {
    closes = false,
    headers = {},
  }: { readonly closes?: boolean; readonly headers?: Readonly<Record<string, string>> } = {},
): Refusal {
  const block = Object.entries(headers).reduce((all, [name, value]) => all.with(name, value), PLAIN_TEXT);
  return { response: { status, headers: block, body: `${status} ${STATUS_CODES[status]}: ${why}\n` }, counter, closes };
}

const malformed = (why: string): Refusal => refusal(400, why, Counter.malformed, { closes: true });

/** RFC 9112 §2.2, §3: what a parser says of bytes. */
export const NO_HTTP = malformed("what arrived is no HTTP request");
/** RFC 9110 §15.6.6. */
export const BAD_VERSION = refusal(505, "HTTP/1.0 and HTTP/1.1 are spoken here", Counter.malformed, { closes: true });
/** RFC 9110 §15.5.9. */
export const TOO_LATE = refusal(408, "it did not arrive in time", null, { closes: true });
/** RFC 9112 §3.1. */
export const BAD_METHOD = malformed("the method is no token");
/** RFC 9112 §3.2. */
export const BAD_TARGET = malformed("the target has a character that must be percent-encoded");
/** RFC 9112 §3.2.2, RFC 9110 §4.2. */
export const BAD_AUTHORITY = malformed("the target's host is missing or invalid, or has a user name before it");
/** RFC 9112 §3.2. */
export const BAD_HOST = malformed("exactly one Host field with a valid value is needed");
/** RFC 9112 §6.3. */
export const BAD_LENGTH = malformed("exactly one Content-Length of decimal digits is allowed");
/** RFC 9112 §6.1, §6.3. */
export const BAD_CODING = malformed(
  "chunked must be the last transfer coding, once, and there must be no Content-Length",
);
/** RFC 9112 §6.1. */
export const UNKNOWN_CODING = refusal(501, "chunked is the only transfer coding here", Counter.malformed, {
  closes: true,
});
/** RFC 9112 §6.1: a server may insist on a length. */
export const LENGTH_REQUIRED = refusal(411, "a body needs a Content-Length here", Counter.malformed, { closes: true });
/** RFC 9110 §10.1.1. */
export const BAD_EXPECTATION = refusal(417, "100-continue is the only expectation here", Counter.malformed, {
  closes: true,
});

/** RFC 9110 §15.5.6, by the methods that are allowed; there are as many lists as routes differ in theirs. */
const refusedMethods = new Map<string, Refusal>();
export function notAllowed(route: Route): Refusal {
  const allow = allowOf(route);
  let found = refusedMethods.get(allow);
  if (found === undefined) {
    found = refusal(405, `only ${allow} are supported here`, null, { headers: { Allow: allow } });
    refusedMethods.set(allow, found);
  }
  return found;
}

/** RFC 9110 §9.3.7: no handler is asked. Not kept: who asks for it does so once. */
export function optionsOf(route: Route): Refusal {
  const response = { status: 204, headers: new HeaderBlock({ Allow: allowOf(route) }), body: "" };
  return { response, counter: null, closes: false };
}

/** RFC 9110 §10.2.1. A handler that takes every method is never refused one. */
function allowOf({ methods }: Route): string {
  const named = methods === "all" ? [] : methods;
  const withHead = named.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
  return [...new Set([...withHead, "OPTIONS"])].join(", ");
}

/** RFC 9110 §9.3.6: a server that is no proxy. */
export const NO_TUNNELS = refusal(405, "this is no proxy", null, { closes: true, headers: { Allow: "GET, HEAD" } });
/** RFC 9110 §15.6.2. */
export const NOT_IMPLEMENTED = refusal(501, "the method is not known here", null);

/** RFC 9112 §3. */
export const URL_TOO_LONG = refusal(414, "see --max-url", Counter.limitUrl, { closes: true });
/** RFC 6585 §5. */
export const HEAD_TOO_LONG = refusal(431, "see --max-header", Counter.limitHead, { closes: true });
/** RFC 9110 §15.5.14. */
export const BODY_TOO_LONG = refusal(413, "see --max-body", Counter.limitBody, { closes: true });
/** RFC 9110 §15.6.4, for a connection that is one too many. */
export const TOO_MANY_CONNECTIONS = refusal(503, "too many connections", Counter.limitConnections, {
  closes: true,
  headers: { "Retry-After": "1" },
});
/** RFC 9110 §15.6.4, for a file that cannot be opened because everything else is. */
export const TOO_MANY_FILES = refusal(503, "too many open files", Counter.limitFiles, {
  headers: { "Retry-After": "1" },
});

/** RFC 9110 §15.6.4: the file of the site that was looked at has become shorter before its first byte was read. */
export const FILE_CHANGED = refusal(503, "the file is being changed", null, { headers: { "Retry-After": "1" } });
/** RFC 9110 §15.6.1: a handler answered with a file that is not there, or not as it says. */
export const FILE_FAILED = textResponse(500, "500 Internal Server Error");

/** RFC 6585 §4; one for each number of seconds, which are few. */
const rateRefusals = new Map<number, Refusal>();
export function tooManyRequests(retryAfterSeconds: number): Refusal {
  let found = rateRefusals.get(retryAfterSeconds);
  if (found === undefined) {
    found = refusal(429, "too many requests of this address", Counter.limitRate, {
      headers: { "Retry-After": String(retryAfterSeconds) },
    });
    rateRefusals.set(retryAfterSeconds, found);
  }
  return found;
}

/** RFC 9110 §15.5.4. */
export const LOCAL_ONLY = refusal(
  403,
  "metrics are for clients of this machine, or with --admin-token",
  Counter.denied,
);
/** RFC 9110 §15.5.4: of a client of this machine, perhaps a browser that shows the page of another site. */
export const FOREIGN_HOST = refusal(
  403,
  "ask for metrics by localhost, 127.0.0.1, [::1] or what --host says, or set --admin-token",
  Counter.denied,
);
/** RFC 9110 §15.5.2; the challenges of RFC 6750 §3 and RFC 7617 §2. */
export const TOKEN_NEEDED = refusal(
  401,
  "metrics are to be asked for with the token of --admin-token",
  Counter.denied,
  {
    headers: { "WWW-Authenticate": 'Bearer realm="loopool", Basic realm="loopool", charset="UTF-8"' },
  },
);
