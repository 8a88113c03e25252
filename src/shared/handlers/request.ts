import { type HandlerRequest, NO_BODY, NO_FIELDS, NO_HEADERS, type RequestHeaders } from "./handler.js";

/** What is known of a request by its head. */
export interface RequestHead {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  /** The fields its handler reads; NO_HEADERS for `headers: "all"`, where they are made of `fields`. */
  readonly headers: RequestHeaders;
  /** All lines for `headers: "all"`, else NO_FIELDS. */
  readonly fields: readonly string[];
}

/** Where requests are aborted by message, somebody has to ask for that: who is told that a handler looks at a signal. */
export interface SignalWatcher {
  /** Calls `abort` when the client has gone, also if it has already. `slot` and `generation` are the watcher's own words for the request. */
  watch(request: ServerRequest, slot: number, generation: number): void;
  /** The request is answered. */
  forget(slot: number, generation: number): void;
}

/** A request as handlers see it: what not every handler looks at is made when it is. */
export class ServerRequest implements HandlerRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly fields: readonly string[];
  /** Written once, before the handler sees the request. */
  remoteAddress = "";
  /** Written once, before the handler sees the request. */
  body: Uint8Array = NO_BODY;
  /** Written once, before the handler sees the request. */
  stream: AsyncIterable<Uint8Array> | null = null;
  #headers: RequestHeaders;
  #controller: AbortController | null = null;
  #isAborted = false;
  /** null: whoever has the request aborts it without being asked, or it is answered. */
  #watcher: SignalWatcher | null;
  readonly #slot: number;
  readonly #generation: number;
  #isWatched = false;
  #onGone: (() => void) | null = null;

  constructor(
    { method, path, query, headers, fields }: RequestHead,
    watcher: SignalWatcher | null = null,
    slot = 0,
    generation = 0,
  ) {
    this.method = method;
    this.path = path;
    this.query = query;
    this.fields = fields;
    this.#headers = headers;
    this.#watcher = watcher;
    this.#slot = slot;
    this.#generation = generation;
  }

  get headers(): RequestHeaders {
    if (this.#headers === NO_HEADERS && this.fields !== NO_FIELDS) this.#headers = headersOf(this.fields);
    return this.#headers;
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      this.#watch();
    }
    if (this.#isAborted) this.#abort(this.#controller);
    return this.#controller.signal;
  }

  /** The client has gone. Called by whoever made the request, in the thread of its handler; again without effect. */
  abort(): void {
    this.#isAborted = true;
    if (this.#controller !== null) this.#abort(this.#controller);
    const onGone = this.#onGone;
    this.#onGone = null;
    onGone?.();
  }

  /** Calls back when the client has gone, at once if it has: for loopool's own, to whom a signal with a listener costs too much. null: no more. */
  whenGone(callback: (() => void) | null): void {
    this.#onGone = callback;
    if (callback !== null) this.#watch();
    if (!this.#isAborted) return;
    this.#onGone = null;
    callback?.();
  }

  #watch(): void {
    if (this.#isWatched || this.#watcher === null) return;
    this.#isWatched = true;
    this.#watcher.watch(this, this.#slot, this.#generation);
  }

  /** Its answer, or the head of a stream, is about to be sent: nothing is watched any more. */
  answered(): void {
    if (this.#isWatched) this.#watcher?.forget(this.#slot, this.#generation);
    this.#watcher = null;
  }

  #abort(controller: AbortController): void {
    if (!controller.signal.aborted) controller.abort(new DOMException("the client has gone", "AbortError"));
  }
}

/**
 * Adds one line of a header, its name in lower case, to the fields by name. RFC 9110 §5.3; the one field of requests that may come in several
 * lines and is no list is Cookie (RFC 6265 §5.4, RFC 9113 §8.2.3).
 */
export function addLine(headers: Record<string, string>, name: string, value: string): void {
  const before = headers[name];
  headers[name] = before === undefined ? value : `${before}${name === "cookie" ? "; " : ", "}${value}`;
}

function headersOf(fields: readonly string[]): RequestHeaders {
  // Any name may come, `__proto__` too.
  const headers = Object.create(null) as Record<string, string>;
  for (let i = 0; i < fields.length; i += 2) addLine(headers, fields[i]!, fields[i + 1]!);
  return headers;
}
