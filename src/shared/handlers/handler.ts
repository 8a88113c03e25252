import { usageError } from "../errors.js";

/** What a handler is asked. */
export interface HandlerRequest {
  /** A handler answers HEAD as it would GET: the front leaves the body out. */
  readonly method: "GET" | "HEAD";
  /** As it arrived: not decoded, without the query. */
  readonly path: string;
  /** What follows the `?`, as it arrived; "" without one. */
  readonly query: string;
}

/** A file to stream from the disk, for bodies too large to hold in memory. */
export interface FileBody {
  /** Absolute path. */
  readonly file: string;
  /** Bytes to send from its start: what Content-Length will say. */
  readonly bytes: number;
}

/** What goes back to the client. A body in bytes is not copied before it is sent: it must not change afterwards. */
export interface HandlerResponse {
  /** 200 to 599. */
  readonly status: number;
  readonly headers: HeaderBlock;
  readonly body: string | Uint8Array | FileBody;
  /** A body in the shared cache that is longer than COPIED_BODY_BYTES: the pin on it, which is given back when it has been sent. */
  readonly pin?: number;
}

/** A body up to this size is copied before `Reply.send` returns; a longer one must not change before it has been sent. */
export const COPIED_BODY_BYTES = 64 * 1024;

/** What a handler may return: header fields need not be checked yet. An object that is used again is checked only once. */
export interface HandlerResult extends Omit<HandlerResponse, "headers"> {
  readonly headers: HeaderBlock | Readonly<Record<string, string>>;
}

/** Answers one request, now or later. A throw or a rejection becomes a 500 and is counted. */
export type Handler = (request: HandlerRequest) => HandlerResult | Promise<HandlerResult>;

/** All handlers of a thread behind one function, which never throws and never rejects. */
export type Dispatch = (request: HandlerRequest) => HandlerResponse | Promise<HandlerResponse>;

const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// RFC 9110 §5.5: visible ASCII, spaces and tabs inside, obs-text. µWS writes a value as it is, so CR and LF stop here.
const FIELD_VALUE = /^[!-~\u0080-\u00ff](?:[\t -~\u0080-\u00ff]*[!-~\u0080-\u00ff])?$/;

/**
 * Header fields that were checked once and are sent many times. Make a block once and use the same object again:
 * its identity is what lets the pool send it to the main thread as a number.
 */
export class HeaderBlock {
  /** Name, value, name, value, … */
  readonly fields: readonly string[];

  /** Throws TypeError for a name or a value that RFC 9110 §5 does not allow, and for lengths, which are the front's to write. */
  constructor(fields: Readonly<Record<string, string>>) {
    for (const [name, value] of Object.entries(fields)) {
      if (!FIELD_NAME.test(name)) throw new TypeError(`"${name}" is not a header field name`);
      if (!FIELD_VALUE.test(value))
        throw new TypeError(`the value of header field ${name} has characters that are not allowed`);
      if (/^(content-length|transfer-encoding|connection)$/i.test(name))
        throw new TypeError(`${name} is written by the server`);
    }
    this.fields = Object.entries(fields).flat();
  }
}

/** Answers in plain text: what is not a page. */
export const PLAIN_TEXT = new HeaderBlock({ "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store" });

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

/** Handlers by path from a user's module: `export const handlers = { "/path": handler }`. Throws a usage error that names the file. */
export async function importHandlers(file: string): Promise<Readonly<Record<string, Handler>>> {
  let module: { handlers?: unknown };
  try {
    module = await import(file);
  } catch (error) {
    throw usageError(
      `--handlers ${file} cannot be imported: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  const { handlers } = module;
  if (typeof handlers !== "object" || handlers === null) {
    throw usageError(`--handlers ${file} must export an object "handlers" with a function for each path`);
  }
  for (const [path, handler] of Object.entries(handlers)) {
    if (!path.startsWith("/")) throw usageError(`--handlers ${file}: the path "${path}" must start with "/"`);
    if (typeof handler !== "function")
      throw usageError(`--handlers ${file}: the handler of "${path}" is not a function`);
  }
  return handlers as Record<string, Handler>;
}
