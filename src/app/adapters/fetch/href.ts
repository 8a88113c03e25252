import type { HandlerRequest } from "../../../shared/handlers/handler.js";

/** What the URL standard's parser would leave as it is: no segment of points alone, nothing that it encodes. */
const PLAIN_PATH = /^(?:\/(?!\.|%2e)[\w.~!$&'()*+,;=:@%-]*)+$/i;
const PLAIN_QUERY = /^[\w.~!$&()*+,;=:@%/?-]*$/;

/** The URL of a request as WHATWG URLs are written. `origin` is one, without a slash at its end. */
export function hrefOf(origin: string, { path, query }: HandlerRequest): string {
  const target = query === "" ? path : `${path}?${query}`;
  const isPlain = PLAIN_PATH.test(path) && PLAIN_QUERY.test(query);
  return isPlain ? origin + target : new URL(target.startsWith("/") ? origin + target : origin).href;
}

/** Names and addresses in lower case, with or without a port. Others, and what is a default port, are for the parser. */
const PLAIN_HOST = /^[a-z][a-z0-9.-]*(?::\d{1,5})?$/;
const KEPT = 64;

/** Origins by the value of Host, of which a server sees few: `http://example.org:8080`. */
export class Origins {
  readonly #scheme: "http" | "https";
  readonly #known = new Map<string, string>();

  constructor(scheme: "http" | "https") {
    this.#scheme = scheme;
  }

  /** HTTP/1.0 may leave Host out. */
  of(host = "localhost"): string {
    return this.#known.get(host) ?? this.#add(host);
  }

  #add(host: string): string {
    const origin = this.#parsed(host);
    if (this.#known.size >= KEPT) this.#known.clear();
    this.#known.set(host, origin);
    return origin;
  }

  #parsed(host: string): string {
    const origin = `${this.#scheme}://${host}`;
    if (PLAIN_HOST.test(host) && !/:(?:80|443|0\d*)$/.test(host)) return origin;
    return URL.canParse(origin) ? new URL(origin).origin : `${this.#scheme}://localhost`;
  }
}
