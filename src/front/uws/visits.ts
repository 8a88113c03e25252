import type { HttpRequest, HttpResponse } from "uWebSockets.js";
import type { AccessLog } from "../../access-log/access-log.js";
import { type LogEntry, UNANSWERED } from "../../access-log/record.js";

/** What the access log wants of a request: all of it is only to be had before the µWS handler returns. */
export interface Visits {
  /** A connection was opened; `disconnected`: one was closed. */
  connected(res: HttpResponse): void;
  disconnected(): void;
  enter(res: HttpResponse, req: HttpRequest, method: string, path: string, query: string | undefined): LogEntry;
}

/**
 * A client's address costs a system call and an ArrayBuffer for each request (0.65 µs), and µWS has no place to keep something with a
 * connection. So it is asked only while connections of several addresses are open; behind a proxy on the same machine that is never.
 */
export function createVisits(log: AccessLog): Visits {
  let connections = 0;
  /** That of all connections open now; null: they differ. */
  let only: Uint8Array | null = null;
  return {
    connected(res) {
      const address = new Uint8Array(res.getRemoteAddress());
      if (connections === 0) only = address;
      else if (only !== null && Buffer.compare(only, address) !== 0) only = null;
      connections++;
    },
    disconnected() {
      // Which one it was can no longer be asked, so those that differ do so until all are closed.
      connections--;
    },
    enter: (res, req, method, path, query) => ({
      startMs: log.nowMs(),
      address: only ?? new Uint8Array(res.getRemoteAddress()),
      method,
      isHttp10: false,
      path,
      query,
      referrer: req.getHeader("referer"),
      userAgent: req.getHeader("user-agent"),
      status: UNANSWERED,
      bodyBytes: 0,
      aborted: false,
    }),
  };
}
