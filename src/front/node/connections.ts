import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { AccessLog } from "../../access-log/access-log.js";
import { addressBytes } from "../../access-log/address.js";
import { type LogEntry, UNANSWERED } from "../../access-log/record.js";
import type { HandlerResponse } from "../../shared/handlers/handler.js";
import { Field, type ThreadStats } from "../../shared/stats.js";
import type { Capacity } from "../capacity.js";
import { TOO_MANY_CONNECTIONS } from "../refusals.js";
import type { RequestHead } from "./request.js";

/** Requests of one connection that may wait for their answers (pipelining). Who sends more is cut off: Node would take any number. */
const MAX_WAITING = 1000;
/** How long a client that was refused may take to read why, and to stop sending (RFC 9112 §9.6). */
const LINGER_MS = 2000;

/** What a connection too many is answered, before it asks. */
const TURNED_AWAY = textOf(TOO_MANY_CONNECTIONS.response);

function textOf({ status, headers, body }: HandlerResponse): string {
  const fields = [
    ...headers.fields,
    "Content-Length",
    String(Buffer.byteLength(body as string)),
    "Connection",
    "close",
  ];
  const lines = fields.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${fields[i + 1]}`] : []));
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, "", body].join("\r\n");
}

/** A request of a connection that is not answered in full. */
export interface Waiting {
  /** Its connection has closed. */
  abort(): void;
}

/** The connections of one front, from accept to close. */
export class Connections {
  readonly #stats: ThreadStats;
  readonly #capacity: Capacity;
  /** All that are open; with TLS the ones beneath it. */
  readonly #open = new Set<Socket>();
  /** By the socket that requests come from. */
  readonly #connections = new WeakMap<Socket, Connection>();

  constructor(stats: ThreadStats, capacity: Capacity) {
    this.#stats = stats;
    this.#capacity = capacity;
  }

  /** One was accepted. False when it is one too many, and is closed; in plain text (`isPlain`) it is told why. */
  add(socket: Socket, isPlain: boolean): boolean {
    this.#stats.add(Field.connectionsOpened, 1);
    this.#open.add(socket);
    socket.once("close", () => {
      this.#stats.add(Field.connectionsClosed, 1);
      this.#capacity.disconnect();
      this.#open.delete(socket);
    });
    if (this.#capacity.connect()) return true;
    this.#stats.add(Field.limitConnections, 1);
    this.of(socket).takeNoMore();
    if (isPlain) socket.end(TURNED_AWAY, () => socket.destroy());
    else socket.destroy();
    return false;
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
  #requests = 0;
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

  /** Of the client; none on a Unix-domain socket. */
  get address(): Uint8Array {
    this.#address ??= addressBytes(this.#socket.remoteAddress ?? "");
    return this.#address;
  }

  /** Counts a request: whether it is the last one that the connection may have. */
  isLast(maxRequests: number | null): boolean {
    return ++this.#requests === maxRequests;
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
    const answer = { status: UNANSWERED, bodyBytes: 0, aborted: false };
    return { ...line, startMs: log.nowMs(), address: this.address, referrer, userAgent, ...answer };
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
    const counter = this.#refusal === 431 ? Field.limitHead : this.#refusal === 413 ? Field.limitBody : Field.malformed;
    // A head that does not come in time is no malformed one; its status counts it.
    if (this.#refusal !== 408) this.#stats.add(counter, 1);
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
