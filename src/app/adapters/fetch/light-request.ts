import type { HandlerRequest } from "../../../shared/handlers/handler.js";
import { hrefOf } from "./href.js";

/** Of the names that undici keeps a request's parts under; on Node 24 they are private fields, which no other object can have. */
const PARTS = Object.getOwnPropertySymbols(new Request("http://localhost"));

/** Fetch standard, §5.3: a Request of these methods cannot have a body. */
const BODYLESS: ReadonlySet<string> = new Set(["GET", "HEAD"]);

/**
 * A request of the Fetch standard that costs nothing until it is looked at. `instanceof Request` holds, and wherever undici reaches for the parts
 * of a request (`new Request(it)`, `fetch(it)`, `formData()`) a real one is made and lends its own. No global is replaced.
 */
class LightRequest {
  readonly #request: HandlerRequest;
  readonly #origin: string;
  #href: string | null = null;
  #headers: Headers | null = null;
  /** The body was read without a real request. */
  #isRead = false;
  #real: Request | null = null;

  constructor(request: HandlerRequest, origin: string) {
    this.#request = request;
    this.#origin = origin;
  }

  get method(): string {
    return this.#request.method;
  }

  get url(): string {
    this.#href ??= hrefOf(this.#origin, this.#request);
    return this.#href;
  }

  get headers(): Headers {
    this.#headers ??= headersOf(this.#request.fields);
    return this.#headers;
  }

  get signal(): AbortSignal {
    return this.#real === null ? this.#request.signal : this.#real.signal;
  }

  get bodyUsed(): boolean {
    return this.#real === null ? this.#isRead : this.#real.bodyUsed;
  }

  async text(): Promise<string> {
    const bytes = this.#take();
    return bytes === null ? this.real().text() : textOf(bytes);
  }

  async json(): Promise<unknown> {
    const bytes = this.#take();
    return bytes === null ? this.real().json() : JSON.parse(textOf(bytes));
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    const bytes = this.#take();
    return bytes === null ? this.real().arrayBuffer() : bufferOf(bytes);
  }

  /** The request that stands in for this one from now on, with what has been done to this one. */
  real(): Request {
    if (this.#real === null) {
      const { method, body, signal } = this.#request;
      this.#real = new Request(this.url, {
        method,
        headers: this.headers,
        signal,
        ...(this.#hasBody ? { body: body as Uint8Array<ArrayBuffer> } : {}),
      });
      if (this.#isRead) void this.#real.arrayBuffer();
    } else {
      this.#bringHeaders(this.#real);
    }
    return this.#real;
  }

  get #hasBody(): boolean {
    return this.#request.body.byteLength > 0 && !BODYLESS.has(this.#request.method);
  }

  /** The bytes of the body, once; null: a real request is to be asked, which knows what is wrong with a second time. */
  #take(): Uint8Array | null {
    if (this.#real !== null || this.#isRead) return null;
    if (!this.#hasBody) return EMPTY;
    this.#isRead = true;
    return this.#request.body;
  }

  /** The headers that were handed out may have been changed since. */
  #bringHeaders({ headers }: Request): void {
    const own = this.#headers;
    if (own === null) return;
    for (const name of [...headers.keys()]) if (!own.has(name)) headers.delete(name);
    for (const [name, value] of own) if (headers.get(name) !== value) headers.set(name, value);
  }
}

const EMPTY = new Uint8Array(0);

/** What Request.prototype has and this class has not is the real request's. */
function lendTheRest(): void {
  const own = LightRequest.prototype;
  const real = Request.prototype;
  for (const [name, { get, value }] of Object.entries(Object.getOwnPropertyDescriptors(real))) {
    if (Object.hasOwn(own, name)) continue;
    if (get !== undefined) {
      Object.defineProperty(own, name, {
        get(this: LightRequest) {
          return Reflect.get(this.real(), name);
        },
        configurable: true,
        enumerable: true,
      });
    } else if (typeof value === "function") {
      const call = function (this: LightRequest, ...args: unknown[]): unknown {
        return Reflect.apply(value, this.real(), args);
      };
      Object.defineProperty(own, name, { value: call, configurable: true, writable: true });
    }
  }
  for (const part of PARTS) {
    Object.defineProperty(own, part, {
      get(this: LightRequest) {
        return Reflect.get(this.real(), part);
      },
    });
  }
  Object.defineProperty(own, "constructor", { value: Request, configurable: true, writable: true });
  Object.setPrototypeOf(own, real);
}

lendTheRest();

/** A request for a fetch handler. */
export type MakeRequest = (request: HandlerRequest, origin: string) => Request;

const light: MakeRequest = (request, origin) => new LightRequest(request, origin) as unknown as Request;
const full: MakeRequest = (request, origin) => new LightRequest(request, origin).real();

/**
 * How requests are made on this Node: light ones where `new Request(light)` reads method, header and body from the real one, which it does up to
 * Node 22; else real ones.
 */
export const requestOf: MakeRequest = lends() ? light : full;

function lends(): boolean {
  try {
    const sample = light(
      {
        method: "PUT",
        path: "/a",
        query: "b",
        headers: {},
        fields: ["c", "d"],
        remoteAddress: "",
        body: new Uint8Array([101]),
        stream: null,
        signal: new AbortController().signal,
      },
      "http://localhost",
    );
    const { method, url, headers, body } = new Request(sample);
    return method === "PUT" && url === "http://localhost/a?b" && headers.get("c") === "d" && body !== null;
  } catch {
    return false;
  }
}

function headersOf(fields: readonly string[]): Headers {
  const headers = new Headers();
  for (let i = 0; i < fields.length; i += 2) headers.append(fields[i]!, fields[i + 1]!);
  return headers;
}

/** UTF-8 without its mark, as the Fetch standard decodes (Encoding standard, §6). */
function textOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return bytes.toString("utf8", hasMark ? 3 : 0);
}

/** It belongs to the handler: a buffer with nothing else in it is handed over. */
function bufferOf(bytes: Uint8Array): ArrayBuffer {
  const buffer = bytes.buffer as ArrayBuffer;
  return bytes.byteLength === buffer.byteLength
    ? buffer
    : buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
}
