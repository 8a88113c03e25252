import { type HandlerResponse, HeaderBlock, NOT_SNIFFED, textResponse } from "../shared/handlers/handler.js";

/** What the pool answers itself, when no handler does. */

export const OVERLOADED: HandlerResponse = {
  status: 503,
  headers: new HeaderBlock({
    "Content-Type": "text/plain; charset=utf-8",
    "Cache-Control": "no-store",
    "Retry-After": "1",
    ...NOT_SNIFFED,
  }),
  body: "503 Service Unavailable: the queue is full\n",
};
export const BODIES_TOO_LARGE: HandlerResponse = {
  ...OVERLOADED,
  body: "503 Service Unavailable: the memory for request bodies (--body-memory) is full\n",
};
export const WAITED_TOO_LONG: HandlerResponse = {
  ...OVERLOADED,
  body: "503 Service Unavailable: no worker was free in time\n",
};
export const TIMED_OUT = textResponse(504, "504 Gateway Timeout: the handler took too long");
export const WORKER_LOST = textResponse(500, "500 Internal Server Error: the worker ended before it answered");
