import type { IncomingMessage, OutgoingHttpHeader, ServerResponse } from "node:http";
import type { HandlerResult } from "../../../shared/handlers/handler.js";
import { contentLengthOf, headBody, isOfTheServer } from "../fields.js";
import { ChunkQueue } from "./chunk-queue.js";
import type { StandInSocket } from "./stand-in-socket.js";

export type Chunk = string | Uint8Array;
export type Callback = (error?: Error | null) => void;

/** Node marks by these that a head was sent; `compression` and `express-session` look at the first. */
export interface Marks {
  _header: string | null;
  _headerSent: boolean;
  _hasBody: boolean;
  _closed: boolean;
  /** Node has it since 15.4, the declarations for OutgoingMessage not. */
  getRawHeaderNames(): string[];
}

export type MarkedResponse = ServerResponse & Marks;

/** What comes of one exchange. */
export interface Outcome {
  /** Status, header and body, or the beginning of one that is streamed. Called once. */
  readonly onResult: (result: HandlerResult) => void;
  /** There will be no response. */
  readonly onFailed: (error: Error) => void;
}

/** One request and its response, as the listener sees them. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: MarkedResponse;
  readonly #socket: StandInSocket;
  readonly #outcome: Outcome;
  /** Written before the head is decided on. */
  #parts: Chunk[] = [];
  /** Of a body that a HEAD leaves out. */
  #omittedBytes: number | null = null;
  #isDecided = false;
  #isScheduled = false;
  #queue: ChunkQueue | null = null;

  constructor(request: IncomingMessage, response: MarkedResponse, socket: StandInSocket, outcome: Outcome) {
    this.request = request;
    this.response = response;
    this.#socket = socket;
    this.#outcome = outcome;
  }

  /** One piece of the body. False: more should wait for "drain". */
  add(chunk: Chunk, callback: Callback | undefined): boolean {
    if (this.#queue !== null) return this.#queue.write(bytesOf(chunk), callback ?? null);
    this.#parts.push(chunk);
    if (callback !== undefined) process.nextTick(callback);
    this.#decideSoon();
    return true;
  }

  /** The last piece: `finish` follows. */
  addLast(chunk: Chunk): void {
    if (this.#queue !== null) this.#queue.write(bytesOf(chunk), null);
    else this.#parts.push(chunk);
  }

  /** What a GET would have sent. The head need not wait for the rest. */
  omit(chunk: Chunk): void {
    this.#omittedBytes = (this.#omittedBytes ?? 0) + Buffer.byteLength(chunk);
    this.#decideSoon();
  }

  /** The head has to leave, whether or not a body follows soon. */
  flush(): void {
    this.#decideSoon();
  }

  finish(): void {
    if (this.#queue !== null) {
      this.#queue.end();
      return;
    }
    if (!this.#isDecided) {
      this.#isDecided = true;
      const { headers, length } = headersOf(this.response);
      const body = this.#isHead ? headBody(length ?? this.#omittedBytes) : this.#wholeBody();
      this.#outcome.onResult({ status: this.response.statusCode, headers, body });
    }
    process.nextTick(finished, this);
  }

  /** The application gives up, or the client has gone. */
  fail(error: Error): void {
    if (this.#queue !== null) {
      this.#queue.fail(error);
    } else if (!this.#isDecided) {
      this.#isDecided = true;
      this.#outcome.onFailed(error);
    }
    this.close();
  }

  /** Nothing more will come of it. */
  close(): void {
    const { request, response } = this;
    if (response._closed) return;
    response._closed = true;
    response.destroyed = true;
    if (!this.#socket.destroyed) this.#socket.closed();
    response.emit("close");
    if (!response.writableFinished) request.destroy();
    // Whoever waits for the end of a request need not have read it. Without them that costs as much as the rest.
    else if (!request.readableEnded && isAwaited(request)) request.resume();
  }

  /** Writes that follow one another are one body, if the end is among them. */
  #decideSoon(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    process.nextTick(decide, this);
  }

  decide(): void {
    if (this.#isDecided) return;
    this.#isDecided = true;
    const { response } = this;
    const { headers, length } = headersOf(response);
    const { statusCode: status } = response;
    if (this.#isHead) {
      this.#outcome.onResult({ status, headers, body: headBody(length) });
      return;
    }
    const queue = new ChunkQueue(length, {
      onDrained: () => process.nextTick(() => response.emit("drain")),
      onEnded: () => process.nextTick(finished, this),
      onLeft: () => this.close(),
    });
    this.#queue = queue;
    for (const part of this.#parts.splice(0)) queue.write(bytesOf(part), null);
    this.#outcome.onResult({ status, headers, body: queue.body });
  }

  get #isHead(): boolean {
    return this.request.method === "HEAD";
  }

  #wholeBody(): Chunk {
    const [first = "", ...others] = this.#parts;
    return others.length === 0 ? first : Buffer.concat(this.#parts.map(bytesOf));
  }
}

/** All lines but those that are the server's to write, of which the length of the body is told. */
function headersOf(response: MarkedResponse): { headers: [string, string][]; length: number | null } {
  const headers: [string, string][] = [];
  let length: number | null = null;
  for (const name of response.getRawHeaderNames()) {
    const lower = name.toLowerCase();
    const value = response.getHeader(name)!;
    if (lower === "content-length") length = contentLengthOf(value);
    else if (!isOfTheServer(lower)) addLines(headers, name, value);
  }
  return { headers, length };
}

function decide(exchange: Exchange): void {
  exchange.decide();
}

function finished(exchange: Exchange): void {
  const { response } = exchange;
  if (response._closed) return;
  response.emit("finish");
  exchange.close();
}

function isAwaited(request: IncomingMessage): boolean {
  return request.listenerCount("close") + request.listenerCount("end") > 0;
}

/** Node writes a line for each value; spaces around one are no part of it (RFC 9110 §5.5). */
function addLines(headers: [string, string][], name: string, value: OutgoingHttpHeader): void {
  if (Array.isArray(value)) for (const one of value) headers.push([name, String(one).trim()]);
  else headers.push([name, String(value).trim()]);
}

function bytesOf(chunk: Chunk): Uint8Array {
  return typeof chunk === "string" ? Buffer.from(chunk) : chunk;
}
