import type { HttpResponse } from "uWebSockets.js";
import { STATUS_CODES } from "node:http";
import type { AccessLog } from "../../access-log/access-log.js";
import type { LogEntry } from "../../access-log/record.js";
import type { Core, Reply } from "../../core.js";
import type { SharedCache } from "../../shared/cache/shared-cache.js";
import { COPIED_BODY_BYTES, type HandlerResponse } from "../../shared/handlers/handler.js";
import { Field, type ThreadStats } from "../../shared/stats.js";
import { type Client, sendFile, sendLarge } from "./stream.js";

/** What the replies of one front have in common. */
export interface FrontState {
  readonly core: Core;
  readonly stats: ThreadStats;
  /** Where the pins of responses go back to. */
  readonly cache: SharedCache;
  /** null: no access log. */
  readonly log: AccessLog | null;
  /** Requests received and not yet answered in full. */
  inFlight: number;
  /** No more requests are wanted: every answer closes its connection. */
  draining: boolean;
  /** Called when the last request in flight has been answered or given up. */
  onIdle: () => void;
}

const nothing = (): void => {};

const statusLines = new Map(Object.entries(STATUS_CODES).map(([code, text]) => [Number(code), `${code} ${text}`]));

/**
 * The answer to one request on a µWS socket. µWS forbids touching a response after an abort and wants writes outside the
 * handler's own turn corked: both are kept here, and nowhere else.
 */
export class UwsReply implements Reply, Client {
  aborted = false;
  ticket = -1;
  onAbort = nothing;
  takenBytes = 0;
  readonly #res: HttpResponse;
  readonly #headOnly: boolean;
  readonly #front: FrontState;
  /** What the log is to say of this request; null without a log. */
  readonly #entry: LogEntry | null;
  #answered = false;
  /** Of the response that is being sent; −1: none. */
  #pin = -1;
  /** The µWS handler has returned: from now on writes are corked. */
  #deferred = false;

  constructor(res: HttpResponse, headOnly: boolean, front: FrontState, entry: LogEntry | null) {
    this.#res = res;
    this.#headOnly = headOnly;
    this.#front = front;
    this.#entry = entry;
  }

  /** The front: the µWS handler is about to return. A response that is still to come needs an abort handler, or µWS ends the process. */
  defer(): void {
    if (this.#answered) return;
    this.#deferred = true;
    this.#res.onAborted(() => this.#abort());
    this.#front.inFlight++;
    this.#front.stats.set(Field.inFlight, this.#front.inFlight);
  }

  send(response: HandlerResponse): void {
    if (this.#answered) throw new Error("a request was answered twice");
    this.#answered = true;
    this.#pin = response.pin ?? -1;
    if (this.aborted) {
      this.#unpin();
      return;
    }
    if (this.#deferred) this.#res.cork(() => this.#write(response));
    else this.#write(response);
  }

  #write({ status, headers, body }: HandlerResponse): void {
    const res = this.#res;
    const { stats, draining } = this.#front;
    stats.addResponse(status);
    if (this.#entry !== null) this.#entry.status = status;
    if (status !== 200) res.writeStatus(statusLines.get(status) ?? String(status));
    // µWS writes a value as it is. So all fields go in one call, of 0.2 µs, whose price does not depend on their number.
    const { wire } = headers;
    if (wire !== null) res.writeHeader(wire[0], wire[1]);

    if (this.#headOnly || status === 204 || status === 304) {
      // Called with a length, endWithoutBody does not complete in this release (uWebSockets#1855), and closing comes after the
      // length: so both are written as fields, and a connection that is to close is closed at the end of the drain.
      if (status !== 204 && status !== 304) res.writeHeader("Content-Length", String(bodyBytes(body)));
      if (draining) res.writeHeader("Connection", "close");
      res.endWithoutBody();
    } else if (typeof body === "string" || (body instanceof Uint8Array && body.byteLength <= COPIED_BODY_BYTES)) {
      const bytes = bodyBytes(body);
      stats.add(Field.bodyBytes, bytes);
      res.end(body, draining);
      if (this.#entry !== null) this.#entry.bodyBytes = bytes;
    } else {
      this.#stream(body);
      return;
    }
    this.#finish();
  }

  /** A body that may not fit the socket now: it is in flight until its last byte has been taken. */
  #stream(body: Exclude<HandlerResponse["body"], string>): void {
    // A synchronous answer has neither an abort handler nor a place among those in flight yet.
    if (!this.#deferred) {
      this.#answered = false;
      this.defer();
      this.#answered = true;
    }
    const bytes = bodyBytes(body);
    this.#front.stats.add(Field.bodyBytes, bytes);
    const done = (): void => {
      if (this.aborted) return;
      this.takenBytes = bytes;
      this.#finish();
    };
    if (body instanceof Uint8Array) sendLarge(this.#res, this, body, done);
    else sendFile(this.#res, this, body, done);
  }

  #abort(): void {
    this.aborted = true;
    this.#front.stats.add(Field.aborted, 1);
    if (this.#entry !== null) this.#entry.aborted = true;
    // Answered already, it is only being sent: the core has nothing to do with it any more.
    if (this.#answered) this.onAbort();
    else this.#front.core.abandon(this);
    this.#finish();
  }

  #unpin(): void {
    if (this.#pin === -1) return;
    this.#front.cache.release(this.#pin);
    this.#pin = -1;
  }

  #finish(): void {
    this.#unpin();
    const front = this.#front;
    if (this.#entry !== null) {
      if (this.takenBytes > 0) this.#entry.bodyBytes = this.takenBytes;
      front.log!.add(this.#entry);
    }
    if (!this.#deferred) return;
    front.inFlight--;
    front.stats.set(Field.inFlight, front.inFlight);
    if (front.inFlight === 0) front.onIdle();
  }
}

function bodyBytes(body: HandlerResponse["body"]): number {
  if (typeof body === "string") return Buffer.byteLength(body);
  return body instanceof Uint8Array ? body.byteLength : body.bytes;
}
