/** Writing into a line byte by byte: a call into C++ costs more than texts this short. Each returns where it ended. */

/** Bytes as they are. */
export function put(out: Uint8Array, at: number, bytes: Uint8Array): number {
  for (let i = 0; i < bytes.length; i++) out[at + i] = bytes[i]!;
  return at + bytes.length;
}

/** A whole number of 0 or more, with zeros before it where it has fewer digits than `width`. */
export function putNumber(out: Uint8Array, at: number, value: number, width = 1): number {
  let digits = 1;
  for (let bound = 10; bound <= value || digits < width; bound *= 10) digits++;
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    const tenth = Math.floor(rest / 10);
    out[i] = 0x30 + rest - 10 * tenth;
    rest = tenth;
  }
  return at + digits;
}

/** How bytes are written that do not stand for themselves. */
export class Escapes {
  readonly #escaped: readonly (Uint8Array | undefined)[];
  /** 1 for a byte that is written as it is: looked up in one step. */
  readonly #isPlain: Uint8Array;

  /** `textFor`: what is written for a byte; undefined for the byte itself. */
  constructor(textFor: (byte: number) => string | undefined) {
    this.#escaped = Array.from({ length: 256 }, (_, byte) => {
      const text = textFor(byte);
      return text === undefined ? undefined : Buffer.from(text);
    });
    this.#isPlain = Uint8Array.from(this.#escaped, (escaped) => (escaped === undefined ? 1 : 0));
  }

  put(bytes: Uint8Array, from: number, to: number, out: Uint8Array, start: number): number {
    const isPlain = this.#isPlain;
    let at = start;
    for (let i = from; i < to; i++) {
      const byte = bytes[i]!;
      if (isPlain[byte] === 1) out[at++] = byte;
      else at = put(out, at, this.#escaped[byte]!);
    }
    return at;
  }
}

/** Printable ASCII that needs no escape in quotes. */
export function isPlainAscii(byte: number): boolean {
  return byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
}
