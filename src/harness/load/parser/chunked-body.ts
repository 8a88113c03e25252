import type { BodySink } from "./body-hash.js";

const LF = 0x0a;
const CR = 0x0d;
const SEMICOLON = 0x3b;

/** Where in the chunked coding (RFC 9112 §7.1) the next byte stands. */
type Place = "size" | "extension" | "data" | "data-end" | "trailer" | "done";

/** Chunk sizes over 2⁴⁸ are not meant seriously; zeros before them do not count. */
const MAX_SIZE_DIGITS = 12;
/** Of a line outside of data: a size with its zeros and its extensions, or a trailer. */
const MAX_LINE_BYTES = 64 * 1024;

/** Follows a body in the chunked transfer coding through any cut of its bytes; extensions and trailers are read over. */
export class ChunkedBody {
  /** Bytes of data so far. */
  dataBytes = 0;
  /** The first byte of data; −1 before it. */
  firstByte = -1;
  #place: Place = "size";
  #size = 0;
  /** Those that count. */
  #sizeDigits = 0;
  readonly #sink: BodySink | null;
  /** Bytes left of the chunk being read. */
  #left = 0;
  /** Bytes of the current line outside of data, its line end not counted: an empty trailer ends the body. */
  #lineBytes = 0;

  /** `sink` is told of all data. */
  constructor(sink: BodySink | null = null) {
    this.#sink = sink;
  }

  reset(): void {
    this.dataBytes = 0;
    this.firstByte = -1;
    this.#place = "size";
    this.#startSize();
  }

  get complete(): boolean {
    return this.#place === "done";
  }

  /** Takes `bytes[start, end)` and returns where it stopped: `end`, or behind the body once it is complete; −1 for a breach of the coding. */
  feed(bytes: Buffer, start: number, end: number): number {
    let i = start;
    while (i < end && this.#place !== "done") {
      if (this.#place === "data") {
        if (this.dataBytes === 0) this.firstByte = bytes[i]!;
        const taken = Math.min(this.#left, end - i);
        this.#sink?.update(bytes, i, i + taken);
        this.dataBytes += taken;
        this.#left -= taken;
        i += taken;
        if (this.#left === 0) this.#place = "data-end";
      } else if (!this.#take(bytes[i++]!)) {
        return -1;
      }
    }
    return i;
  }

  /** One byte outside of data; false when it may not stand there. */
  #take(byte: number): boolean {
    switch (this.#place) {
      case "size": {
        const digit = hexDigit(byte);
        if (digit >= 0) {
          if (digit > 0 || this.#size > 0) this.#sizeDigits++;
          this.#size = this.#size * 16 + digit;
          return this.#sizeDigits <= MAX_SIZE_DIGITS && this.#lengthen();
        }
        if (this.#lineBytes === 0) return false;
        if (byte === LF) return this.#endSizeLine();
        this.#place = "extension";
        return byte === CR || byte === SEMICOLON || byte === 0x20 || byte === 0x09;
      }
      case "extension":
        return byte === LF ? this.#endSizeLine() : this.#lengthen();
      case "data-end":
        if (byte === CR) return true;
        this.#place = "size";
        this.#startSize();
        return byte === LF;
      case "trailer":
        if (byte === LF) {
          if (this.#lineBytes === 0) this.#place = "done";
          this.#lineBytes = 0;
          return true;
        }
        return byte === CR || this.#lengthen();
      default:
        return false;
    }
  }

  /** A byte more in the current line; false when that is one too many. */
  #lengthen(): boolean {
    return ++this.#lineBytes <= MAX_LINE_BYTES;
  }

  #startSize(): void {
    this.#size = 0;
    this.#sizeDigits = 0;
    this.#lineBytes = 0;
  }

  #endSizeLine(): boolean {
    this.#left = this.#size;
    this.#lineBytes = 0;
    this.#place = this.#size === 0 ? "trailer" : "data";
    return true;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
