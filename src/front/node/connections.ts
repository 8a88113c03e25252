import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { AccessLog } from "../../access-log/access-log.js";
import { addressBytes } from "../../access-log/address.js";
import { type LogEntry, UNANSWERED } from "../../access-log/record.js";
import { Field, type ThreadStats } from "../../shared/stats.js";
import type { RequestHead } from "./request.js";

/** Requests of one connection that may wait for their answers (pipelining). Who sends more is cut off: Node would take any number. */
const MAX_WAITING = 1000;
/** How long a client that was refused may take to read why, and to stop sending (RFC 9112 §9.6). */
const LINGER_MS = 2000;

/** A request of a connection that is not answered in full. */
export interface Waiting {
  /** Its connection has closed. */
  abort(): void;
}

/** The connections of one front, from accept to close. */
export class Connections {
  readonly #stats: ThreadStats;
  /** All that are open; with TLS the ones beneath it. */
  readonly #open = new Set<Socket>();
  /** By the socket that requests come from. */
  readonly #connections = new WeakMap<Socket, Connection>();

  constructor(stats: ThreadStats) {
    this.#stats = stats;
  }

  /** One was accepted. */
  add(socket: Socket): void {
    this.#stats.add(Field.connectionsOpened, 1);
    this.#open.add(socket);
    socket.once("close", () => {
      this.#stats.add(Field.connectionsClosed, 1);
      this.#open.delete(socket);
    });
  }

  of(socket: Socket): Connection {
    let connection = this.#connections.get(socket);
    if (connection === undefined) {
      connection = new Connection(socket, this.#stats);
      this.#connections.set(socket, connection);
    }
    return connection;
  }

  destroyAll(): void {
    for (const socket of this.#open) socket.destroy();
  }
}

/** One connection that has sent something. */
export class Connection {
  readonly #socket: Socket;
  readonly #stats: ThreadStats;
  readonly #waiting = new Set<Waiting>();
  #address: Uint8Array | undefined;
  #takesRequests = true;
  /** Status of the answer to what was no request; 0: none. It is due when all requests before have been answered. */
  #refusal = 0;

  constructor(socket: Socket, stats: ThreadStats) {
    this.#socket = socket;
    this.#stats = stats;
    socket.once("close", () => {
      for (const waiting of this.#waiting) waiting.abort();
    });
  }

  /** False when its end is certain: what Node still reads from it is to be ignored. */
  get takesRequests(): boolean {
    return this.#takesRequests;
  }

  takeNoMore(): void {
    this.#takesRequests = false;
  }

  enter(waiting: Waiting): void {
    this.#waiting.add(waiting);
    if (this.#waiting.size <= MAX_WAITING) return;
    this.takeNoMore();
    this.#socket.destroy();
  }

  leave(waiting: Waiting): void {
    this.#waiting.delete(waiting);
    if (this.#refusal > 0 && this.#waiting.size === 0) this.#writeRefusal();
  }

  /** What the access log wants of a request. */
  entry(
    log: AccessLog,
    line: Pick<LogEntry, "method" | "path" | "query" | "isHttp10">,
    { referrer, userAgent }: RequestHead,
  ): LogEntry {
    this.#address ??= addressBytes(this.#socket.remoteAddress ?? "");
    const answer = { status: UNANSWERED, bodyBytes: 0, aborted: false };
    return { ...line, startMs: log.nowMs(), address: this.#address, referrer, userAgent, ...answer };
  }

  /** What arrived is no request, or was too slow. Node tells it again for whatever follows. */
  refuse(error: NodeJS.ErrnoException): void {
    if (this.#refusal > 0) return;
    const status = statusOf(error);
    // Neither a failed connection nor a failed TLS handshake can be answered, and to one that never sent anything there is nothing to say.
    if (status === null || !this.#socket.writable || this.#socket.bytesRead === 0) {
      this.#socket.destroy();
      return;
    }
    // An answer that ends the connection is on its way already.
    if (!this.#takesRequests) return;
    this.takeNoMore();
    this.#refusal = status;
    if (this.#waiting.size === 0) this.#writeRefusal();
  }

  #writeRefusal(): void {
    const line = `${this.#refusal} ${STATUS_CODES[this.#refusal]}`;
    const body = `${line}\n`;
    const fields = `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\nConnection: close`;
    this.#stats.add(Field.requests, 1);
    this.#stats.addResponse(this.#refusal);
    this.#stats.add(Field.bodyBytes, body.length);
    this.#socket.end(`HTTP/1.1 ${line}\r\nDate: ${new Date().toUTCString()}\r\n${fields}\r\n\r\n${body}`);
    const timer = setTimeout(() => this.#socket.destroy(), LINGER_MS).unref();
    this.#socket.once("close", () => clearTimeout(timer));
  }
}

/** By the code of Node or its parser (llhttp); null: nobody can be answered. */
function statusOf({ code = "", reason }: NodeJS.ErrnoException & { readonly reason?: string }): number | null {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return 431;
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return 413;
    case "HPE_INVALID_VERSION":
      // What follows the version may be what is wrong.
      return reason === "Invalid HTTP version" ? 505 : 400;
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return 408;
    default:
      return code.startsWith("HPE_") ? 400 : null;
  }
}
