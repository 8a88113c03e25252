import type { HttpResponse } from "uWebSockets.js";
import { STATUS_CODES } from "node:http";
import type { LogEntry } from "../../access-log/record.js";
import type { Reply } from "../../core.js";
import { COPIED_BODY_BYTES, type HandlerResponse } from "../../shared/handlers/handler.js";
import { Field } from "../../shared/stats.js";
import { type Refusal, TOO_MANY_FILES } from "../refusals.js";
import { bodyBytes, type FrontState } from "../state.js";
import type { SlowReaders } from "./slow-readers.js";
import { type Client, sendFile, sendLarge } from "./stream.js";

/** What the replies of this front have in common. */
export interface UwsState extends FrontState {
  readonly slowReaders: SlowReaders;
}

const nothing = (): void => {};

const statusLines = new Map(Object.entries(STATUS_CODES).map(([code, text]) => [Number(code), `${code} ${text}`]));

/**
 * The answer to one request on a µWS socket. µWS forbids touching a response after an abort and wants writes outside the
 * handler's own turn corked: both are kept here, and nowhere else.
 *
 * A connection is never closed in the handler's own turn: µWS goes on with what lies in the same packet, as if the connection stayed open.
 * While the answer is pending it closes the connection instead, should there be more.
 */
export class UwsReply implements Reply, Client {
  aborted = false;
  ticket = -1;
  onAbort = nothing;
  takenBytes = 0;
  readonly #res: HttpResponse;
  readonly #headOnly: boolean;
  readonly #front: UwsState;
  /** What the log is to say of this request; null without a log. */
  readonly #entry: LogEntry | null;
  #answered = false;
  #status = 0;
  #closes: boolean;
  /** µWS' abort handler is called for a connection that we close, too. */
  #isClosed = false;
  #isStreaming = false;
  #holdsFile = false;
  /** Of the response that is being sent; −1: none. */
  #pin = -1;
  /** The µWS handler has returned: from now on writes are corked. */
  #deferred = false;

  /** `closes`: the connection is to be closed after the answer. */
  constructor(res: HttpResponse, headOnly: boolean, closes: boolean, front: UwsState, entry: LogEntry | null) {
    this.#res = res;
    this.#headOnly = headOnly;
    this.#closes = closes || front.draining;
    this.#front = front;
    this.#entry = entry;
  }

  /** The front answers itself. */
  refuse({ response, counter, closes }: Refusal): void {
    if (counter !== null) this.#front.stats.add(counter, 1);
    this.#closes ||= closes;
    this.send(response);
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
    if (this.#closes && !this.#deferred) {
      // In the handler's own turn. A short body in bytes is the sender's again when this returns.
      const { body } = response;
      const isShort = body instanceof Uint8Array && body.byteLength <= COPIED_BODY_BYTES;
      const kept = isShort ? { ...response, body: Uint8Array.from(body) } : response;
      setImmediate(() => this.send(kept));
      return;
    }
    if (this.#answered) throw new Error("a request was answered twice");
    this.#answered = true;
    this.#pin = response.pin ?? -1;
    if (this.aborted) {
      this.#unpin();
      return;
    }
    if (this.#deferred) this.#res.cork(() => this.#write(response));
    else this.#write(response);
    if (this.#isClosed) this.#res.close();
  }

  #write(response: HandlerResponse): void {
    const { status, headers, body } = response;
    const hasBody = !this.#headOnly && status !== 204 && status !== 304;
    if (hasBody && typeof body !== "string" && !(body instanceof Uint8Array)) {
      if (!this.#front.capacity.openFile()) {
        this.#front.stats.add(Field.limitFiles, 1);
        this.#write(TOO_MANY_FILES.response);
        return;
      }
      this.#holdsFile = true;
    }
    const res = this.#res;
    const { stats, draining } = this.#front;
    const closes = this.#closes || draining;
    this.#status = status;
    if (this.#entry !== null) this.#entry.status = status;
    if (status !== 200) res.writeStatus(statusLines.get(status) ?? String(status));
    // µWS writes a value as it is. So all fields go in one call, of 0.2 µs, whose price does not depend on their number.
    const { wire } = headers;
    if (wire !== null) res.writeHeader(wire[0], wire[1]);

    if (!hasBody) {
      // Called with a length, endWithoutBody does not complete in this release (uWebSockets#1855): so it is written as a field.
      if (status !== 204 && status !== 304) res.writeHeader("Content-Length", String(bodyBytes(body)));
      if (closes) this.#endAndClose();
      else res.endWithoutBody();
    } else if (typeof body === "string" || (body instanceof Uint8Array && body.byteLength <= COPIED_BODY_BYTES)) {
      const bytes = bodyBytes(body);
      stats.add(Field.bodyBytes, bytes);
      res.end(body, closes);
      if (this.#entry !== null) this.#entry.bodyBytes = bytes;
    } else {
      // The client closes, or µWS when nothing has come for 10 s: no way to end such a body closes the connection.
      if (closes) res.writeHeader("Connection", "close");
      this.#stream(body);
      return;
    }
    this.#finish();
  }

  /** µWS cannot end a response without a body and close: so the empty line after the fields is written with the last of them. */
  #endAndClose(): void {
    this.#res.writeHeader("Connection", "close\r\n");
    this.#isClosed = true;
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
    this.#isStreaming = true;
    this.#front.slowReaders.watch(this);
    if (body instanceof Uint8Array) sendLarge(this.#res, this, body, done);
    else sendFile(this.#res, this, body, done);
  }

  /** Its client takes nothing: what follows is what follows when a client goes. */
  cut(): void {
    this.#res.close();
  }

  #abort(): void {
    if (this.#isClosed) return;
    this.aborted = true;
    this.#front.stats.add(Field.aborted, 1);
    if (this.#front.slowReaders.isSlow(this)) this.#front.stats.add(Field.limitSlowReaders, 1);
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
    // Not before: a request is answered or aborted, never both.
    if (!this.aborted) front.stats.addResponse(this.#status);
    if (this.#isStreaming) {
      front.slowReaders.forget(this);
      if (this.#holdsFile) front.capacity.closeFile();
    }
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
