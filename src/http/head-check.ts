import type { ServerLimits } from "../shared/config.js";
import { type Route, takesMethod } from "../shared/handlers/route.js";
import { isAuthority, isHost } from "./host.js";
import {
  BAD_AUTHORITY,
  BAD_CODING,
  BAD_EXPECTATION,
  BAD_HOST,
  BAD_LENGTH,
  BAD_METHOD,
  BAD_TARGET,
  BODY_TOO_LONG,
  HEAD_TOO_LONG,
  LENGTH_REQUIRED,
  NOT_IMPLEMENTED,
  notAllowed,
  optionsOf,
  type Refusal,
  UNKNOWN_CODING,
  URL_TOO_LONG,
} from "./refusals.js";

/** Visible ASCII without the number sign, which begins a fragment: what RFC 3986 does not allow beyond that does no harm. */
const TARGET = /^[!"$-~]*$/;
const TOKEN = /^[!#$%&'*+\-.^`|~\w]+$/;
const DIGITS = /^\d+$/;
const CLOSE = /(?:^|,)[ \t]*close[ \t]*(?:,|$)/i;
/** RFC 9110 §9.3, RFC 5789. */
const KNOWN_METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

/** " HTTP/1.1", two line ends and a space: what a head has beside what is counted. */
const OTHER_HEAD_BYTES = 14;
/** A colon, a space and a line end. */
const OTHER_FIELD_BYTES = 4;

/**
 * What an adapter has to look at in a head, whatever parsed it. One object serves all requests, one after the other: `begin`, `visit` for
 * each field in its order, `verdict`.
 */
export class HeadCheck {
  /** The client wants its connection closed. */
  closes = false;
  /** The value of Authorization, "" without one. */
  authorization = "";
  readonly #limits: ServerLimits;
  /** Whether the adapter can read a chunked body. */
  readonly #takesChunks: boolean;
  #isHttp10 = false;
  #authority: string | null = null;
  #hosts = 0;
  #areHostsGood = true;
  #lengths = 0;
  #length = "";
  #codings = 0;
  #coding = "";
  #expectation = "";
  #fieldBytes = 0;
  /** Found valid before: clients ask with the same again and again. */
  #goodHost = "";
  #goodPath = "";
  #goodQuery = "";

  constructor(limits: ServerLimits, takesChunks: boolean) {
    this.#limits = limits;
    this.#takesChunks = takesChunks;
  }

  /**
   * `isHttp10`: of a client that may know neither Host nor Transfer-Encoding; `authority`: that of a target in absolute form, null without
   * one.
   */
  begin(isHttp10 = false, authority: string | null = null): void {
    this.#isHttp10 = isHttp10;
    this.#authority = authority;
    this.closes = false;
    this.authorization = "";
    this.#hosts = 0;
    this.#areHostsGood = true;
    this.#lengths = 0;
    this.#codings = 0;
    this.#expectation = "";
    this.#fieldBytes = 0;
  }

  /** One field, its name in lower case. By length first: to compare a text that was just made costs more. */
  readonly visit = (name: string, value: string): void => {
    this.#fieldBytes += name.length + value.length + OTHER_FIELD_BYTES;
    switch (name.length) {
      case 4:
        if (name !== "host") break;
        this.#hosts++;
        // Looked at on the spot: to keep a text that was just made costs more than to compare it.
        if (!this.#isHost(value)) this.#areHostsGood = false;
        break;
      case 6:
        if (name === "expect") this.#expectation = value;
        break;
      case 10:
        if (name === "connection" && CLOSE.test(value)) this.closes = true;
        break;
      case 13:
        if (name === "authorization") this.authorization = value;
        break;
      case 14:
        if (name !== "content-length") break;
        this.#lengths++;
        this.#length = value;
        break;
      case 17:
        if (name !== "transfer-encoding") break;
        this.#codings++;
        this.#coding = value;
        break;
    }
  };

  /** Something follows the head. */
  get hasBody(): boolean {
    return this.#codings > 0 || (this.#lengths > 0 && this.#length !== "0");
  }

  /** How much follows the head; null where that is not said before: the body is chunked. Valid after a good verdict. */
  get bodyBytes(): number | null {
    if (this.#codings > 0) return null;
    return this.#lengths === 0 ? 0 : Number(this.#length);
  }

  /** Which host the client asked, after a good verdict; null without one. A target's counts, not the field's (RFC 9112 §3.2.2). */
  get host(): string | null {
    return this.#authority ?? (this.#hosts === 0 ? null : this.#goodHost);
  }

  /** null: it is a request that the route takes, with a body that may be read. `query`: without the question mark. */
  verdict(method: string, path: string, query: string, route: Route): Refusal | null {
    if (method !== "GET" && method !== "HEAD" && !TOKEN.test(method)) return BAD_METHOD;
    const isTaken = takesMethod(route, method);
    const urlBytes = path.length + (query === "" ? 0 : 1 + query.length);
    if (urlBytes > this.#limits.maxUrlBytes) return URL_TOO_LONG;
    if (method.length + urlBytes + this.#fieldBytes + OTHER_HEAD_BYTES > this.#limits.maxHeadBytes)
      return HEAD_TOO_LONG;
    if (!this.#isTarget(path, query)) return BAD_TARGET;
    if (this.#authority !== null && !isAuthority(this.#authority)) return BAD_AUTHORITY;
    if (!this.#hasGoodHost()) return BAD_HOST;
    const body = this.#codings + this.#lengths === 0 ? null : this.#bodyVerdict(isTaken && route.stream);
    if (body !== null) return body;
    if (this.#expectation !== "" && this.#expectation.toLowerCase() !== "100-continue") return BAD_EXPECTATION;
    if (isTaken) return null;
    if (method === "OPTIONS") return optionsOf(route);
    return KNOWN_METHODS.includes(method) ? notAllowed(route) : NOT_IMPLEMENTED;
  }

  #isTarget(path: string, query: string): boolean {
    if (path !== this.#goodPath) {
      if (!TARGET.test(path)) return false;
      this.#goodPath = path;
    }
    if (query !== this.#goodQuery) {
      if (!TARGET.test(query)) return false;
      this.#goodQuery = query;
    }
    return true;
  }

  /** RFC 9112 §3.2: HTTP/1.0 has none, or one. */
  #hasGoodHost(): boolean {
    if (this.#hosts === 0) return this.#isHttp10;
    return this.#hosts === 1 && this.#areHostsGood;
  }

  #isHost(host: string): boolean {
    if (host === this.#goodHost) return true;
    if (!isHost(host)) return false;
    this.#goodHost = host;
    return true;
  }

  /** What a stream's reader takes has no limit: it is never in memory as a whole. */
  #bodyVerdict(isStream: boolean): Refusal | null {
    if (this.#codings > 0) return this.#codingVerdict();
    if (this.#lengths > 1 || !DIGITS.test(this.#length)) return BAD_LENGTH;
    const maxBytes = isStream ? Number.MAX_SAFE_INTEGER : this.#limits.maxBodyBytes;
    return Number(this.#length) > maxBytes ? BODY_TOO_LONG : null;
  }

  #codingVerdict(): Refusal | null {
    // Empty members of a list do not count (RFC 9110 §5.6.1.2).
    const codings = this.#coding
      .split(",")
      .map((coding) => coding.trim().toLowerCase())
      .filter((coding) => coding !== "");
    const isLast = codings.length > 0 && codings.indexOf("chunked") === codings.length - 1;
    // RFC 9112 §6.1: in HTTP/1.0 its framing cannot be trusted.
    if (this.#codings > 1 || this.#lengths > 0 || !isLast || this.#isHttp10) return BAD_CODING;
    if (codings.length > 1) return UNKNOWN_CODING;
    return this.#takesChunks ? null : LENGTH_REQUIRED;
  }
}
