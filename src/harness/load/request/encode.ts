import type { Fields, RequestKind } from "./kind.js";
import type { LoadOptions } from "./options.js";
import { Template } from "./template.js";

/** A request as it goes to the socket. */
export interface EncodedRequest {
  /** Number of its kind. */
  readonly kind: number;
  /** In Latin-1, a character for each byte: a string goes to the kernel as fast as its bytes do, without a look at where these lie. Long ones are bytes. */
  readonly data: string | Buffer;
  /** Its response has no body, whatever its head says (HEAD). */
  readonly bodiless: boolean;
}

/** A longer request is kept as bytes: written once, it is not copied again. */
const MAX_STRING_CHARS = 16 * 1024;
/** Methods whose request says that it has no body (RFC 9110 §8.6). */
const WITH_CONTENT: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);

/** Makes the requests of one kind. */
export class RequestEncoder {
  readonly #kind: number;
  readonly #bodiless: boolean;
  readonly #line: Template;
  /** The header fields but for Content-Length of a body. */
  readonly #header: Template;
  readonly #body: Template | null;
  /** The request of every row, where all are the same. */
  readonly #constant: EncodedRequest | null;

  constructor(kind: number, request: RequestKind, fields: Fields | null, options: LoadOptions) {
    this.#kind = kind;
    this.#bodiless = request.method === "HEAD";
    this.#line = new Template(`${request.method} ${request.path} HTTP/1.1\r\n`, fields, "url");
    this.#header = new Template(headerOf(request, options), fields, "none");
    this.#body = request.body === null ? null : new Template(latin1(request.body), fields, request.bodyEscape);
    const isConstant = [this.#line, this.#header, this.#body].every((part) => part?.isConstant ?? true);
    this.#constant = isConstant ? this.#encode(0) : null;
  }

  /** The request that the values of a row make. */
  encode(row: number): EncodedRequest {
    return this.#constant ?? this.#encode(row);
  }

  #encode(row: number): EncodedRequest {
    const head = this.#line.render(row) + this.#header.render(row);
    const body = this.#body?.render(row);
    const text = body === undefined ? `${head}\r\n` : `${head}Content-Length: ${body.length}\r\n\r\n${body}`;
    const data = text.length > MAX_STRING_CHARS ? Buffer.from(text, "latin1") : text;
    return { kind: this.#kind, data, bodiless: this.#bodiless };
  }
}

function headerOf(request: RequestKind, { target, keepAlive, headers }: LoadOptions): string {
  const fields: (readonly [string, string])[] = [["Host", target.authority]];
  // HTTP/1.1 keeps alive unless told otherwise (RFC 9112 §9.3).
  if (!keepAlive) fields.push(["Connection", "close"]);
  if (request.body === null && WITH_CONTENT.has(request.method)) fields.push(["Content-Length", "0"]);
  return [...fields, ...headers, ...request.headers].map(([name, value]) => `${name}: ${value}\r\n`).join("");
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
