import type { HttpRequest, HttpResponse } from "uWebSockets.js";
import type { AccessLog } from "../../access-log/access-log.js";
import type { LogEntry } from "../../access-log/record.js";
import { UNANSWERED } from "../state.js";

/** What the access log wants of a request: all of it is only to be had before the µWS handler returns. */
export interface LogEntries {
  enter(res: HttpResponse, req: HttpRequest, method: string, path: string, query: string | undefined): LogEntry;
}

export function createLogEntries(log: AccessLog, addressOf: (res: HttpResponse) => Uint8Array): LogEntries {
  return {
    enter: (res, req, method, path, query) => ({
      startMs: log.nowMs(),
      address: addressOf(res),
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
