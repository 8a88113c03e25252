import { NO_HEADERS, type RequestHeaders } from "../shared/handlers/handler.js";

/**
 * Takes from a head the fields that its handler reads, whatever parsed it. One object serves all requests, one after the other: `begin`,
 * `visit` for each line in its order, `found`.
 */
export class FieldReader {
  #names: readonly string[] = [];
  /** A bit for each length (modulo 32) that a name has: most fields of a request are passed over by theirs alone. */
  #lengths = 0;
  #found: Record<string, string> | null = null;

  /** `names` in lower case. False: there is nothing to visit. */
  begin(names: readonly string[]): boolean {
    this.#found = null;
    if (names !== this.#names) {
      this.#names = names;
      this.#lengths = names.reduce((lengths, name) => lengths | (1 << name.length), 0);
    }
    return names.length > 0;
  }

  /** One line, its name in lower case. */
  readonly visit = (name: string, value: string): void => {
    if ((this.#lengths & (1 << name.length)) === 0 || !this.#names.includes(name)) return;
    this.#found ??= {};
    const before = this.#found[name];
    // RFC 9110 §5.3. The one field of requests that may come in several lines and is no list is Cookie (RFC 6265 §5.4, RFC 9113 §8.2.3).
    this.#found[name] = before === undefined ? value : `${before}${name === "cookie" ? "; " : ", "}${value}`;
  };

  get found(): RequestHeaders {
    return this.#found ?? NO_HEADERS;
  }
}
