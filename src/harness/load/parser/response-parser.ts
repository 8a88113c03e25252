import type { BodySink } from "./body-hash.js";
import { ChunkedBody } from "./chunked-body.js";
import { KnownHead } from "./known-head.js";
import { isHeadSoFar, parseHead, type ResponseHead } from "./response-head.js";

/** What the bytes so far amount to. */
export const ParseState = {
  /** Not whole yet. */
  more: 0,
  /** A whole response, and not a byte beyond. */
  complete: 1,
  /** Not HTTP/1.1, or over a limit. */
  malformed: 2,
  /** Bytes beyond the end: nothing is pipelined, so nothing may follow. */
  overlong: 3,
} as const;
export type ParseState = (typeof ParseState)[keyof typeof ParseState];

/** Of a head, from its status line to its blank line, both included. */
const MAX_HEAD_BYTES = 64 * 1024;
const LF = 0x0a;
const CR = 0x0d;

/** How the end of the current body is found (RFC 9112 §6.3). */
type Framing = "length" | "chunked" | "close";

/**
 * Reads one response at a time from the bytes of a connection, however they are cut. A head that arrives in one piece is read
 * where it lies; only one that is split is copied. Nothing is allocated for an ordinary response.
 */
export class ResponseParser {
  /** Of the response being read; valid from the end of its head until the next `reset`. */
  readonly head: ResponseHead = {
    status: 0,
    contentLength: -1,
    chunked: false,
    coded: false,
    keepAlive: true,
    server: "",
  };
  /** Body bytes so far, chunk framing not counted. */
  bodyBytes = 0;
  /** The first byte of the body; −1 before it. */
  firstByte = -1;
  /** Whether a byte of the response has arrived. */
  started = false;
  #inBody = false;
  #bodiless = false;
  #framing: Framing = "length";
  /** Where the framing is "length". */
  #bodyLength = 0;
  /** The head so far, where it came in pieces. */
  #pieces: Buffer | undefined;
  readonly #sink: BodySink | null;
  readonly #chunks: ChunkedBody;
  /** The bytes that `head` was read from, where it came in one piece and was no interim one. */
  readonly #known = new KnownHead();

  /** `sink` is told of the bytes of bodies, chunk framing left out. */
  constructor(sink: BodySink | null = null) {
    this.#sink = sink;
    this.#chunks = new ChunkedBody(sink);
  }

  /** Forgets the response: the next byte starts a new one, which is `bodiless` where a HEAD was sent (RFC 9110 §9.3.2). */
  reset(bodiless = false): void {
    this.#bodiless = bodiless;
    this.bodyBytes = 0;
    this.firstByte = -1;
    this.started = false;
    this.#inBody = false;
    this.#pieces = undefined;
  }

  /** Takes `bytes[0, length)`. */
  feed(bytes: Buffer, length: number): ParseState {
    if (length > 0) this.started = true;
    let position = 0;
    // An interim response (1xx) has no body and another head follows it.
    while (!this.#inBody) {
      const afterHead = this.#feedHead(bytes, position, length);
      if (afterHead < 0) return afterHead === NEEDS_MORE ? ParseState.more : ParseState.malformed;
      position = afterHead;
    }
    return this.#feedBody(bytes, position, length);
  }

  /** The peer has closed: `complete` only where that is how the body ends. */
  end(): ParseState {
    return this.#inBody && this.#framing === "close" ? ParseState.complete : ParseState.more;
  }

  /** Where the body starts, or one of the two negative answers. */
  #feedHead(bytes: Buffer, start: number, length: number): number {
    if (this.#pieces === undefined && this.#known.matches(bytes, start, length)) {
      this.#startBody();
      return start + this.#known.length;
    }
    const end = endOfHead(bytes, start, length);
    if (this.#pieces === undefined && end !== -1) {
      if (end - start > MAX_HEAD_BYTES || !this.#takeHead(bytes, start, end)) return MALFORMED;
      if (this.#inBody) this.#known.learn(bytes, start, end);
      return end;
    }

    // The blank line itself may be split: look for it in old and new bytes together.
    const known = this.#pieces ?? Buffer.alloc(0);
    const joined = Buffer.concat([known, bytes.subarray(start, length)]);
    const joinedEnd = endOfHead(joined, 0, joined.length);
    if (joinedEnd === -1) {
      if (joined.length > MAX_HEAD_BYTES || !isHeadSoFar(joined)) return MALFORMED;
      this.#pieces = joined;
      return NEEDS_MORE;
    }
    this.#pieces = undefined;
    if (joinedEnd > MAX_HEAD_BYTES) return MALFORMED;
    return this.#takeHead(joined, 0, joinedEnd) ? start + joinedEnd - known.length : MALFORMED;
  }

  #takeHead(bytes: Buffer, start: number, end: number): boolean {
    const head = this.head;
    this.#known.forget();
    if (!parseHead(bytes, start, end, head)) return false;
    if (head.status < 200) return head.status !== 101;
    this.#startBody();
    return true;
  }

  /** `head` is known: how its body ends. */
  #startBody(): void {
    const head = this.head;
    this.#inBody = true;
    if (this.#bodiless || head.status === 204 || head.status === 304) {
      this.#framing = "length";
      this.#bodyLength = 0;
    } else if (head.chunked) {
      this.#framing = "chunked";
      this.#chunks.reset();
    } else if (head.contentLength >= 0 && !head.coded) {
      this.#framing = "length";
      this.#bodyLength = head.contentLength;
    } else {
      this.#framing = "close";
      head.keepAlive = false;
    }
  }

  #feedBody(bytes: Buffer, position: number, length: number): ParseState {
    if (this.bodyBytes === 0 && position < length) this.firstByte = bytes[position]!;
    switch (this.#framing) {
      case "length": {
        this.#sink?.update(bytes, position, length);
        this.bodyBytes += length - position;
        if (this.bodyBytes < this.#bodyLength) return ParseState.more;
        return this.bodyBytes === this.#bodyLength ? ParseState.complete : ParseState.overlong;
      }
      case "chunked": {
        const end = this.#chunks.feed(bytes, position, length);
        this.bodyBytes = this.#chunks.dataBytes;
        this.firstByte = this.#chunks.firstByte;
        if (end === -1) return ParseState.malformed;
        if (!this.#chunks.complete) return ParseState.more;
        return end === length ? ParseState.complete : ParseState.overlong;
      }
      case "close":
        this.#sink?.update(bytes, position, length);
        this.bodyBytes += length - position;
        return ParseState.more;
    }
  }
}

const NEEDS_MORE = -1;
const MALFORMED = -2;

/** The position behind the blank line that ends a head, or −1. A lone LF is a line end too (RFC 9112 §2.2). */
function endOfHead(bytes: Buffer, start: number, length: number): number {
  let lineStart = start;
  for (let i = start; i < length; i++) {
    if (bytes[i] !== LF) continue;
    const lineBytes = i - lineStart;
    if (i > start && (lineBytes === 0 || (lineBytes === 1 && bytes[lineStart] === CR))) return i + 1;
    lineStart = i + 1;
  }
  return -1;
}
