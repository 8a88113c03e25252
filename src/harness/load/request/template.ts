import type { Escape, Fields } from "./kind.js";

/** `{{name}}`, blanks inside allowed. */
const PLACEHOLDER = /\{\{\s*([\w.-]+)\s*\}\}/g;

/** The names that a text wants filled in. */
export function placeholdersIn(text: string): readonly string[] {
  return [...text.matchAll(PLACEHOLDER)].map(([, name]) => name!);
}

/**
 * A text in Latin-1 (a character for each byte) with places that are filled from a row. The values are written out once for each row, so that
 * a request only joins texts.
 */
export class Template {
  /** The texts around the places: one more than these. */
  readonly #texts: readonly string[];
  /** By place: the value of each row. */
  readonly #values: readonly (readonly string[])[];

  /** Every name in `text` is one of `fields`. */
  constructor(text: string, fields: Fields | null, how: Escape) {
    // Between two texts the split leaves the name.
    const pieces = fields === null ? [text] : text.split(PLACEHOLDER);
    this.#texts = pieces.filter((_, index) => index % 2 === 0);
    this.#values = pieces
      .filter((_, index) => index % 2 === 1)
      .map((name) => {
        const column = fields!.names.indexOf(name);
        return fields!.rows.map((row) => Buffer.from(escaped(row[column] ?? "", how)).toString("latin1"));
      });
  }

  /** It has no places: it is the same for every row. */
  get isConstant(): boolean {
    return this.#values.length === 0;
  }

  render(row: number): string {
    let text = this.#texts[0]!;
    for (let place = 0; place < this.#values.length; place++) {
      text += this.#values[place]![row]! + this.#texts[place + 1]!;
    }
    return text;
  }
}

function escaped(value: string, how: Escape): string {
  switch (how) {
    case "none":
      return value;
    case "url":
      return encodeURIComponent(value);
    case "json":
      return JSON.stringify(value).slice(1, -1);
  }
}
