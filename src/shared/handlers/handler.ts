import type { FileHandle } from "node:fs/promises";
import { STATUS_CODES } from "node:http";
import { BadResult } from "./result-error.js";
import type { RouteTable } from "./route.js";

/** Values of request header fields by name in lower case. A field that came in several lines is one value, joined by commas (RFC 9110 §5.3). */
export type RequestHeaders = Readonly<Record<string, string>>;

/** Those of a request in which no field was found that its handler reads. Always this object, so that a look tells. */
export const NO_HEADERS: RequestHeaders = Object.freeze({});

/** The fields of a request whose handler does not ask for all of them. Always this list, so that a look tells. */
export const NO_FIELDS: readonly string[] = Object.freeze([]);

/** The body of a request without one. Always this object, so that a look tells. */
export const NO_BODY = new Uint8Array(0);

/** What a handler is asked. */
export interface HandlerRequest {
  /** Any token, as it came: one of those that the handler takes. HEAD is answered as GET would be: the body is left out. */
  readonly method: string;
  /** As it arrived: not decoded, without the query. */
  readonly path: string;
  /** What follows the `?`, as it arrived; "" without one. */
  readonly query: string;
  /** Those fields of its header that the handler says it reads, NO_HEADERS where it has none of them; all of them for `headers: "all"`. */
  readonly headers: RequestHeaders;
  /** `headers: "all"` only: name in lower case, value, name, value, …, a pair for each line of the header, in order; else NO_FIELDS. */
  readonly fields: readonly string[];
  /** `headers: "all"` only: the client's IP address, dotted or as RFC 5952 has it; "" where it has none (a Unix-domain socket) or is not asked for. */
  readonly remoteAddress: string;
  /** The whole body over an ordinary ArrayBuffer, which is the handler's; NO_BODY without one or with `stream: true`. */
  readonly body: Uint8Array;
  /** `stream: true` only: the body as it arrives, for one reader. Throws when the client goes before its end. */
  readonly stream: AsyncIterable<Uint8Array> | null;
  /** Aborted when the client has gone before the response has been sent whole. */
  readonly signal: AbortSignal;
}

/** A file to stream from the disk, for bodies too large to hold in memory. */
export interface FileBody {
  /** Absolute path. */
  readonly file: string;
  /** Bytes to send: what Content-Length will say. */
  readonly bytes: number;
  /** Where they start in the file; its start where it is not given. */
  readonly offset?: number;
  /** When the file was changed last (mtime in ms), for a response that describes it: a file of another time is not sent. */
  readonly modifiedMs?: number;
  /** The file, open for reading and looked at already: it is sent, or let go of by `discard`, and then closed. Without it, `file` is opened. */
  readonly handle?: FileHandle;
}

/** A body that is made while it is sent. */
export interface StreamBody {
  /** `next` is called when the client has room for more, `return` when no more is wanted: at the latest when the client has gone. */
  readonly chunks: AsyncIterator<Uint8Array>;
  /** Of the whole body: what Content-Length will say; without it the body is chunked. */
  readonly bytes?: number;
}

/** Whether a body is to be streamed from the disk. */
export function isFileBody(body: HandlerResponse["body"]): body is FileBody {
  return typeof body !== "string" && !(body instanceof Uint8Array) && "file" in body;
}

/** Whether a body is made while it is sent. */
export function isStreamBody(body: HandlerResponse["body"]): body is StreamBody {
  return typeof body !== "string" && !(body instanceof Uint8Array) && "chunks" in body;
}

/** What goes back to the client. A body in bytes is not copied before it is sent: it must not change afterwards. */
export interface HandlerResponse {
  /** 200 to 599. */
  readonly status: number;
  readonly headers: HeaderBlock;
  readonly body: string | Uint8Array | FileBody | StreamBody;
  /** A body in the shared cache that is longer than COPIED_BODY_BYTES: the pin on it, which is given back when it has been sent. */
  readonly pin?: number;
}

/** A body up to this size is copied before `Reply.send` returns; a longer one must not change before it has been sent. */
export const COPIED_BODY_BYTES = 64 * 1024;

/** One line of a field, or several, which are not joined. */
export type HeaderValue = string | number | readonly (string | number)[];

/** Header fields as a handler may give them: a plain object, or pairs, as `Headers` and `Map` have them. */
export type HeaderFields = Readonly<Record<string, HeaderValue>> | Iterable<readonly [string, HeaderValue]>;

/** What a handler may return: result.ts makes a HandlerResponse of it. */
export interface HandlerResult {
  /** An integer from 200 to 599. */
  readonly status: number;
  readonly headers: HeaderBlock | HeaderFields;
  readonly body: string | ArrayBufferView | ArrayBufferLike | FileBody | StreamBody | StreamSource;
}

/** What is sent as it comes: a generator or any other iterator, an async iterable, a ReadableStream, a Readable of Node. */
export type StreamSource = AsyncIterable<Uint8Array | string> | IterableIterator<Uint8Array | string>;

/** Answers one request, now or later. A throw or a rejection becomes a 500 and is counted. */
export interface Handler {
  (request: HandlerRequest): HandlerResult | PromiseLike<HandlerResult>;
  /** Names of the request header fields it reads, in lower case, or all of them. What nobody reads is not copied. */
  readonly headers?: readonly string[] | "all";
  /** The methods it takes; GET and HEAD where it does not say. HEAD belongs to GET, and OPTIONS is answered for it where it is not named. */
  readonly methods?: readonly string[] | "all";
  /** It reads the body of its requests while that arrives. */
  readonly stream?: boolean;
}

/** All handlers of a thread behind one function, which never throws and never rejects. */
export interface Dispatch {
  (request: HandlerRequest): HandlerResponse | Promise<HandlerResponse>;
  readonly routes: RouteTable;
  /** What is answered instead of a response that could not be sent, for `cause`: counted and logged as a failure of that path's handler. Never throws. */
  unsendable(path: string, cause: unknown): HandlerResponse;
  /** Ends the user's code in this thread, when no more requests come. Never rejects. */
  close(): Promise<void>;
}

export const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// RFC 9110 §5.5: visible ASCII, spaces and tabs inside, obs-text, or nothing. µWS writes a value as it is, so CR and LF stop here.
const FIELD_VALUE = /^(?:[!-~\u0080-\u00ff](?:[\t -~\u0080-\u00ff]*[!-~\u0080-\u00ff])?)?$/;
/** What frames a message and what concerns one connection (RFC 9110 §7.6.1) is the adapter's; so is Date, which µWS writes by itself. */
const OF_THE_SERVER = /^(?:content-length|transfer-encoding|trailer|connection|keep-alive|upgrade|date)$/i;

function checkField(name: string, value: string): void {
  if (!FIELD_NAME.test(name)) throw new BadResult(`header field name ${JSON.stringify(name)}: use a token of RFC 9110`);
  if (!FIELD_VALUE.test(value)) {
    throw new BadResult(
      `header field ${name} with characters that no value may have: use visible Latin-1, spaces inside`,
    );
  }
  if (OF_THE_SERVER.test(name)) throw new BadResult(`header field ${name}: leave it out, the server writes it`);
}

/** Throws BadResult, a TypeError, for a name or a value that RFC 9110 §5 does not allow, and for fields that are the server's to write. `fields`: name, value, name, value, … */
export function checkFields(fields: readonly string[]): void {
  for (let i = 0; i < fields.length; i += 2) checkField(fields[i]!, fields[i + 1]!);
}

const NO_BYTES = new Uint8Array(0);

/**
 * Header fields that were checked once and are sent many times. Make a block once and use the same object again:
 * its identity is what lets the pool send it to the main thread as a number.
 */
export class HeaderBlock {
  /** Name, value, name, value, … A field with several lines has a pair for each. */
  readonly fields: readonly string[];
  /** The pool's: it gives a number to what it sends for the second time. */
  wasSent = false;
  #wire: Uint8Array = NO_BYTES;
  /** Which status it has; 0: none yet. */
  #wireStatus = 0;

  /** `fields` by name, or as a list that `checkFields` has passed. Throws as that does for what is given by name. */
  constructor(fields: Readonly<Record<string, string>> | readonly string[]) {
    if (isList(fields)) {
      this.fields = fields;
    } else {
      this.fields = Object.entries(fields).flat();
      checkFields(this.fields);
    }
  }

  /** The same fields and one more line. */
  with(name: string, value: string): HeaderBlock {
    checkField(name, value);
    return new HeaderBlock([name, value, ...this.fields]);
  }

  /**
   * Status and fields as they go over the wire, after the version and but for the last line end, in Latin-1: an adapter that writes them in one
   * piece spends the time of one field on all.
   */
  wire(status: number): Uint8Array {
    if (status !== this.#wireStatus) {
      const lines = this.fields.map((text, i) => (i % 2 === 0 ? `\r\n${text}: ` : text)).join("");
      // RFC 9112 §4: the reason may be empty, the space before it may not be missing.
      this.#wire = Buffer.from(`${status} ${STATUS_CODES[status] ?? ""}${lines}`, "latin1");
      this.#wireStatus = status;
    }
    return this.#wire;
  }
}

function isList(fields: Readonly<Record<string, string>> | readonly string[]): fields is readonly string[] {
  return Array.isArray(fields);
}

/** The type is what the server says it is, and not what a browser finds by looking at the bytes (Fetch standard, §3.5). */
export const NOT_SNIFFED = { "X-Content-Type-Options": "nosniff" } as const;

/** Answers in plain text: what is not a page. */
export const PLAIN_TEXT = new HeaderBlock({
  "Content-Type": "text/plain; charset=utf-8",
  "Cache-Control": "no-store",
  ...NOT_SNIFFED,
});

/** A short answer in plain text; a line feed is added. */
export function textResponse(status: number, text: string): HandlerResponse {
  return { status, headers: PLAIN_TEXT, body: `${text}\n` };
}

/** A query that a handler cannot use. The dispatcher answers 400 with the message, which names the parameter and what is allowed. */
export class BadRequest extends Error {}

/** A number in [min, max] from the query, or the default where it is not given. Throws BadRequest. */
export function queryNumber(
  query: URLSearchParams,
  name: string,
  bounds: { min: number; max: number; default: number },
): number {
  const raw = query.get(name);
  if (raw === null) return bounds.default;
  const value = raw.trim() === "" ? Number.NaN : Number(raw);
  if (value >= bounds.min && value <= bounds.max) return value;
  throw new BadRequest(`the query parameter ${name} must be a number from ${bounds.min} to ${bounds.max}`);
}
