import { NO_FIELDS, NO_HEADERS, type RequestHeaders } from "../shared/handlers/handler.js";
import { addLine } from "../shared/handlers/request.js";

/**
 * Takes from a head the fields that its handler reads, whatever parsed it. One object serves all requests, one after the other: `begin`,
 * `visit` for each line in its order, `headers` and `lines`.
 */
export class FieldReader {
  #names: readonly string[] | "all" = [];
  /** A bit for each length (modulo 32) that a name has: most fields of a request are passed over by theirs alone. */
  #lengths = 0;
  #found: Record<string, string> | null = null;
  #lines: string[] | null = null;

  /** `names` in lower case. False: there is nothing to visit. */
  begin(names: readonly string[] | "all"): boolean {
    this.#found = null;
    this.#lines = null;
    if (names !== this.#names) {
      this.#names = names;
      this.#lengths = names === "all" ? 0 : names.reduce((lengths, name) => lengths | (1 << name.length), 0);
    }
    return names.length > 0;
  }

  /** One line, its name in lower case. */
  readonly visit = (name: string, value: string): void => {
    if (this.#names === "all") {
      if (this.#lines === null) this.#lines = [name, value];
      else this.#lines.push(name, value);
      return;
    }
    if ((this.#lengths & (1 << name.length)) === 0 || !this.#names.includes(name)) return;
    this.#found ??= {};
    addLine(this.#found, name, value);
  };

  /** Those by name. */
  get headers(): RequestHeaders {
    return this.#found ?? NO_HEADERS;
  }

  /** All of them, where all are read. */
  get lines(): readonly string[] {
    return this.#lines ?? NO_FIELDS;
  }
}
