import { type IncomingMessage, type OutgoingHttpHeader, type OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { HandlerResult } from "../../../shared/handlers/handler.js";
import { contentLengthOf, headBody, isOfTheServer } from "../fields.js";
import { ChunkQueue } from "./chunk-queue.js";
import type { StandInSocket } from "./stand-in-socket.js";

type Chunk = string | Uint8Array;
type Callback = (error?: Error | null) => void;

/** Node marks by these that a head was sent; `compression` and `express-session` look at the first. */
interface Marks {
  _header: string | null;
  _headerSent: boolean;
  _hasBody: boolean;
  _closed: boolean;
  /** Node has it since 15.4, the declarations for OutgoingMessage not. */
  getRawHeaderNames(): string[];
}

/** Where the parts of a response go, on the response itself: Express gives it another prototype. */
const EXCHANGE = Symbol("loopool.exchange");
type AppResponse = ServerResponse & { [EXCHANGE]: Exchange } & Marks;

/** What comes of one exchange. */
export interface Outcome {
  /** Status, header and body, or the beginning of one that is streamed. Called once. */
  readonly onResult: (result: HandlerResult) => void;
  /** There will be no response. */
  readonly onFailed: (error: Error) => void;
}

/**
 * The response to one request, for listeners of Node's servers: its head and body become a result. A body that is whole when the event loop goes
 * on is sent as such; another one is streamed, its first bytes at once.
 */
export function outgoingFor(request: IncomingMessage, socket: StandInSocket, outcome: Outcome): Exchange {
  const response = new ServerResponse(request) as AppResponse;
  Object.assign(response, { socket });
  const exchange = new Exchange(request, response, socket, outcome);
  response[EXCHANGE] = exchange;
  response.writeHead = writeHead as AppResponse["writeHead"];
  response.write = write as AppResponse["write"];
  response.end = end as AppResponse["end"];
  response.flushHeaders = flushHeaders;
  response.destroy = destroy as AppResponse["destroy"];
  // Interim responses (RFC 9110 §15.2) are the server's.
  response.writeContinue = ignore;
  response.writeProcessing = ignore;
  response.writeEarlyHints = (_hints, callback) => callback?.();
  return exchange;
}

function ignore(callback?: () => void): void {
  callback?.();
}

/** One request and its response, as the listener sees them. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: AppResponse;
  readonly #socket: StandInSocket;
  readonly #outcome: Outcome;
  /** Written before the head is decided on. */
  #parts: Chunk[] = [];
  /** Of the one piece of a body that a HEAD leaves out. */
  #omittedBytes: number | null = null;
  #isDecided = false;
  #isScheduled = false;
  #queue: ChunkQueue | null = null;

  constructor(request: IncomingMessage, response: AppResponse, socket: StandInSocket, outcome: Outcome) {
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

  /** What a GET would have sent as its whole body. */
  omit(chunk: Chunk): void {
    this.#omittedBytes = Buffer.byteLength(chunk);
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
    this.#isDecided = true;
    const { headers, length } = headersOf(this.response);
    const body = this.request.method === "HEAD" ? headBody(length ?? this.#omittedBytes) : this.#wholeBody();
    this.#outcome.onResult({ status: this.response.statusCode, headers, body });
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
    if (response.writableFinished) request.resume();
    else request.destroy();
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
    const queue = new ChunkQueue(length, {
      onDrained: () => process.nextTick(() => response.emit("drain")),
      onEnded: () => process.nextTick(finished, this),
      onLeft: () => this.close(),
    });
    this.#queue = queue;
    for (const part of this.#parts.splice(0)) queue.write(bytesOf(part), null);
    const body = this.request.method === "HEAD" ? headBody(length) : queue.body;
    this.#outcome.onResult({ status: response.statusCode, headers, body });
  }

  #wholeBody(): Chunk {
    const [first = "", ...others] = this.#parts;
    return others.length === 0 ? first : Buffer.concat(this.#parts.map(bytesOf));
  }
}

/** All lines but those that are the server's to write, of which the length of the body is told. */
function headersOf(response: AppResponse): { headers: [string, string][]; length: number | null } {
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

/** Node writes a line for each value; spaces around one are no part of it (RFC 9110 §5.5). */
function addLines(headers: [string, string][], name: string, value: OutgoingHttpHeader): void {
  if (Array.isArray(value)) for (const one of value) headers.push([name, String(one).trim()]);
  else headers.push([name, String(value).trim()]);
}

function bytesOf(chunk: Chunk): Uint8Array {
  return typeof chunk === "string" ? Buffer.from(chunk) : chunk;
}

/** Node's own, for what is an error. */
const nodes = ServerResponse.prototype as unknown as {
  write(this: AppResponse, chunk: unknown, callback?: Callback): boolean;
  end(this: AppResponse, chunk: unknown, callback?: Callback): AppResponse;
};

/** ServerResponse.writeHead: `(status, message?, headers?)`; the message has no place in a result. */
function writeHead(
  this: AppResponse,
  status: number,
  message?: string | OutgoingHttpHeaders | readonly OutgoingHttpHeader[],
  given?: OutgoingHttpHeaders | readonly OutgoingHttpHeader[],
): AppResponse {
  // Throws as Node does.
  if (this._header !== null) return ServerResponse.prototype.writeHead.call(this, status) as AppResponse;
  const headers = typeof message === "string" ? given : (given ?? message);
  if (typeof message === "string") this.statusMessage = message;
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new RangeError(`Invalid status code: ${status}: use an integer from 200 to 599`);
  }
  this.statusCode = status;
  if (Array.isArray(headers)) addList(this, headers);
  else for (const [name, value] of Object.entries(headers ?? {})) if (value !== undefined) this.setHeader(name, value);
  this._header = " ";
  this._headerSent = true;
  if (status === 204 || status === 304) this._hasBody = false;
  return this;
}

/** Name, value, name, value, …, or pairs: a name that comes twice has two lines. */
function addList(response: ServerResponse, list: readonly OutgoingHttpHeader[]): void {
  const flat = list.flat() as string[];
  if (flat.length % 2 !== 0) throw new TypeError("writeHead: the list of headers has a name without a value");
  for (let i = 0; i < flat.length; i += 2) response.removeHeader(flat[i]!);
  for (let i = 0; i < flat.length; i += 2) response.appendHeader(flat[i]!, flat[i + 1]!);
}

function write(this: AppResponse, chunk: Chunk, encoding?: BufferEncoding | Callback, callback?: Callback): boolean {
  const done = typeof encoding === "function" ? encoding : callback;
  // Both are errors, which Node words.
  if (this.finished || this.destroyed || !isChunk(chunk)) {
    return nodes.write.call(this, chunk, done);
  }
  if (this._header === null) this.writeHead(this.statusCode);
  if (!this._hasBody) {
    if (done !== undefined) process.nextTick(done);
    return true;
  }
  return this[EXCHANGE].add(encoded(chunk, encoding), done);
}

function end(
  this: AppResponse,
  chunk?: Chunk | Callback | null,
  encoding?: BufferEncoding | Callback,
  callback?: Callback,
): AppResponse {
  const done = [chunk, encoding, callback].find((argument) => typeof argument === "function");
  const last = typeof chunk === "function" ? undefined : chunk;
  const isWrong = last !== undefined && last !== null && !isChunk(last);
  if (this.finished || isWrong) return nodes.end.call(this, last, done);
  if (done !== undefined) this.once("finish", done);
  if (this._header === null) this.writeHead(this.statusCode);
  if (last !== undefined && last !== null && last.length > 0) {
    if (this._hasBody) this[EXCHANGE].addLast(encoded(last, encoding));
    else this[EXCHANGE].omit(encoded(last, encoding));
  }
  this.finished = true;
  this[EXCHANGE].finish();
  return this;
}

function flushHeaders(this: AppResponse): void {
  if (this._header === null) this.writeHead(this.statusCode);
  this[EXCHANGE].flush();
}

function destroy(this: AppResponse, error?: Error): AppResponse {
  if (this.destroyed) return this;
  this.destroyed = true;
  this[EXCHANGE].fail(error ?? new Error("the application destroyed its response"));
  return this;
}

function isChunk(chunk: unknown): chunk is Chunk {
  return typeof chunk === "string" || chunk instanceof Uint8Array;
}

function encoded(chunk: Chunk, encoding: unknown): Chunk {
  const isUtf8 = typeof encoding !== "string" || encoding === "utf8" || encoding === "utf-8";
  return typeof chunk !== "string" || isUtf8 ? chunk : Buffer.from(chunk, encoding as BufferEncoding);
}
