import type { AccessLog } from "../access-log/access-log.js";
import type { Core } from "../core.js";
import type { SharedCache } from "../shared/cache/shared-cache.js";
import type { ServerConfig, ServerLimits } from "../shared/config.js";
import { type FailureLog, failureLogOf } from "../shared/failure-log.js";
import type { HandlerResponse } from "../shared/handlers/handler.js";
import { withErrorPage } from "../shared/static/error-page.js";
import type { ThreadStats } from "../shared/stats/stats.js";
import { Capacity } from "./capacity.js";
import { FILE_FAILED } from "./refusals.js";

/** What the replies of one adapter have in common. */
export interface AdapterState {
  readonly core: Core;
  readonly stats: ThreadStats;
  /** Where the pins of responses go back to. */
  readonly cache: SharedCache;
  /** null: no access log. */
  readonly log: AccessLog | null;
  readonly capacity: Capacity;
  readonly limits: ServerLimits;
  /** For whoever runs the server. */
  readonly failures: FailureLog;
  /** The answer where a file that a handler names cannot be sent. */
  readonly fileFailed: HandlerResponse;
  /** Requests received and not yet answered in full. */
  inFlight: number;
  /** Responses of those that handlers are making while they are sent. */
  streams: number;
  /** Loaded with the first stream, since few servers have any; null before. */
  sendStream: typeof import("./send-stream.js").sendStream | null;
  /** No more requests are wanted: every answer closes its connection. */
  draining: boolean;
  /** Called when the last request in flight has been answered or given up. */
  onIdle: () => void;
}

/** An adapter that begins. */
export async function adapterState(
  config: ServerConfig,
  parts: Pick<AdapterState, "core" | "stats" | "cache" | "log">,
): Promise<AdapterState> {
  const { limits } = config;
  const fileFailed = await withErrorPage(FILE_FAILED, config);
  const capacity = new Capacity(limits.maxConnections);
  const failures = failureLogOf(config);
  return {
    ...parts,
    limits,
    failures,
    fileFailed,
    capacity,
    inFlight: 0,
    streams: 0,
    sendStream: null,
    draining: false,
    onIdle: () => {},
  };
}

/** Resolves when nothing is in flight, or after the time, with the number of requests that then are. */
export async function idleOrLate(state: AdapterState, timeoutMs: number): Promise<number> {
  if (state.inFlight > 0) {
    await new Promise<void>((resolve) => {
      state.onIdle = resolve;
      setTimeout(resolve, timeoutMs).unref();
    });
  }
  return state.inFlight;
}

/** The length of a body, as Content-Length has it; null where it is not known before its end. */
export function bodyBytes(body: HandlerResponse["body"]): number | null {
  if (typeof body === "string") return Buffer.byteLength(body);
  return body instanceof Uint8Array ? body.byteLength : (body.bytes ?? null);
}
