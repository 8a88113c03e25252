import { type IncomingMessage, type OutgoingHttpHeader, type OutgoingHttpHeaders, ServerResponse } from "node:http";
import { type Callback, type Chunk, Exchange, type MarkedResponse, type Outcome } from "./exchange.js";
import type { StandInSocket } from "./stand-in-socket.js";

/** Where the parts of a response go, on the response itself: Express gives it another prototype. */
const EXCHANGE = Symbol("loopool.exchange");
type AppResponse = MarkedResponse & { [EXCHANGE]: Exchange };

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
    this[EXCHANGE].omit(encoded(chunk, encoding));
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
