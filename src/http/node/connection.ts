import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { AccessLog } from "../../access-log/access-log.js";
import { addressBytes } from "../../access-log/address.js";
import { type LogEntry, UNANSWERED } from "../../access-log/record.js";
import { Counter } from "../../shared/stats/stats.js";
import {
  BAD_VERSION,
  BODY_TOO_LONG,
  HEAD_TOO_LONG,
  NO_HTTP,
  type Refusal,
  TOO_LATE,
  TOO_MANY_CONNECTIONS,
} from "../refusals.js";
import type { AdapterState } from "../state.js";

/** Requests of one connection that may wait for their answers (pipelining). Who sends more is cut off: Node would take any number. */
const MAX_WAITING = 1000;
/** How long a client may take to read the last answer, and to stop sending (RFC 9112 §9.6). */
const LINGER_MS = 2000;

/** The answer to a request, as far as its connection is concerned with it. */
interface PendingReply {
  /** The client has gone. */
  abort(): void;
}

/** A request whose body is arriving. The next one on its connection may begin to arrive before the end of this one has been told. */
export interface Reading {
  readonly message: IncomingMessage;
  /** Its end has come, or its request has its answer. */
  isOver: boolean;
  /** What arrives is no body: this is what is wrong. */
  fail(refusal: Refusal): void;
}

/** One connection; with TLS from the end of its handshake. */
export class Connection {
  /** The last request that has a body. */
  reading: Reading | null = null;
  /** 4 or 16 bytes; none for a Unix-domain socket, and for a client that was gone already. */
  readonly address: Uint8Array;
  readonly #socket: Socket;
  readonly #adapter: AdapterState;
  readonly #waiting = new Set<PendingReply>();
  #requests = 0;
  #takesRequests = true;
  /** The answer to what was no request, due when all requests before have been answered. */
  #refusal: Refusal | null = null;

  constructor(socket: Socket, adapter: AdapterState) {
    this.#socket = socket;
    this.#adapter = adapter;
    this.address = addressBytes(socket.remoteAddress ?? "");
    socket.once("close", () => {
      this.#refusal = null;
      for (const reply of this.#waiting) reply.abort();
    });
  }

  /** False when its end is certain: what Node still reads from it is to be ignored. */
  get takesRequests(): boolean {
    return this.#takesRequests;
  }

  takeNoMore(): void {
    if (!this.#takesRequests) return;
    this.#takesRequests = false;
    // What Node calls after the last answer closes at once, and what the client still sends would make the system reset the connection,
    // which may take the answer with it.
    this.#socket.destroySoon = () => this.#linger();
  }

  /** Counts a request: true for the last one that this connection may have. */
  isLast(): boolean {
    if (++this.#requests !== this.#adapter.limits.maxConnectionRequests) return false;
    this.#adapter.stats.add(Counter.limitConnectionRequests, 1);
    return true;
  }

  enter(reply: PendingReply): void {
    this.#waiting.add(reply);
    if (this.#waiting.size <= MAX_WAITING) return;
    this.takeNoMore();
    this.#socket.destroy();
  }

  leave(reply: PendingReply): void {
    this.#waiting.delete(reply);
    if (this.#refusal !== null && this.#waiting.size === 0) this.#answer(this.#refusal);
  }

  /** What the access log wants of a request. */
  entry(log: AccessLog, request: IncomingMessage, path: string, query: string | undefined): LogEntry {
    const { referer = "", "user-agent": userAgent = "" } = request.headers;
    return {
      startMs: log.nowMs(),
      address: this.address,
      method: request.method!,
      isHttp10: request.httpVersion === "1.0",
      path,
      query,
      referrer: referer,
      userAgent,
      status: UNANSWERED,
      bodyBytes: 0,
      aborted: false,
    };
  }

  /** There are too many. */
  turnAway(): void {
    this.#takesRequests = false;
    this.#write(TOO_MANY_CONNECTIONS);
    this.#socket.destroySoon();
  }

  /** Node or its parser gave up on what arrived, which is told again for whatever follows. */
  fail(error: ParserError): void {
    const refusal = refusalOf(error);
    // Neither a broken connection nor a broken TLS handshake can be answered, and to one that never sent anything there is nothing to say.
    if (refusal === null || !this.#socket.writable || this.#socket.bytesRead === 0) {
      this.#socket.destroy();
      return;
    }
    const { reading } = this;
    // Complete, but its end has not been told: what is wrong comes after it.
    if (reading !== null && !reading.isOver && !reading.message.complete) {
      // The client has closed its half in the middle of a body: it is taken for gone.
      if (error.code === "HPE_INVALID_EOF_STATE") this.#socket.destroy();
      else reading.fail(refusal);
      return;
    }
    this.refuse(refusal);
  }

  /** Answers what is no request that Node would answer, after all that came before. */
  refuse(refusal: Refusal): void {
    // An answer that ends the connection is on its way.
    if (!this.#takesRequests) return;
    this.takeNoMore();
    if (this.#waiting.size === 0) this.#answer(refusal);
    else this.#refusal = refusal;
  }

  #answer(refusal: Refusal): void {
    const { stats } = this.#adapter;
    const { status, body } = refusal.response;
    // A head that is none is a request, too: what is answered has been asked.
    stats.add(Counter.requests, 1);
    stats.addResponse(status);
    stats.add(Counter.bodyBytes, Buffer.byteLength(body as string));
    if (refusal.counter !== null) stats.add(refusal.counter, 1);
    this.#write(refusal);
    this.#linger();
  }

  #write({ response: { status, headers, body } }: Refusal): void {
    const fields = Buffer.from(headers.wire(status)).toString("latin1");
    const ours = `Date: ${new Date().toUTCString()}\r\nContent-Length: ${Buffer.byteLength(body as string)}\r\nConnection: close`;
    this.#socket.write(`HTTP/1.1 ${fields}\r\n${ours}\r\n\r\n${body as string}`);
  }

  /** Ends our half, and closes when the client has closed its own or has had the time to. */
  #linger(): void {
    this.#socket.end();
    const timer = setTimeout(() => this.#socket.destroy(), LINGER_MS).unref();
    this.#socket.once("close", () => clearTimeout(timer));
  }
}

interface ParserError extends NodeJS.ErrnoException {
  /** llhttp's own words. */
  readonly reason?: string;
}

/** null: nobody can be answered. */
function refusalOf({ code = "", reason }: ParserError): Refusal | null {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return HEAD_TOO_LONG;
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return BODY_TOO_LONG;
    case "HPE_INVALID_VERSION":
      // What follows the version may be what is wrong.
      return reason === "Invalid HTTP version" ? BAD_VERSION : NO_HTTP;
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return TOO_LATE;
    default:
      return code.startsWith("HPE_") ? NO_HTTP : null;
  }
}
