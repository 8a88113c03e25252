import type { RecordRing } from "../shared/memory/record-ring.js";

/** What is cut where it is longer; bytes. µWS takes heads of 4096 bytes in all unless it is told otherwise. */
export const textLimits = { methodBytes: 32, urlBytes: 2048, referrerBytes: 1024, userAgentBytes: 512 } as const;

/** One request and how it was answered, as the adapter knows it: written into the ring as it is, put into words elsewhere. */
export interface LogEntry {
  /** Of the clock that all threads share, ms. */
  readonly startMs: number;
  /** 4 or 16 bytes; none for what is no IP socket. */
  readonly address: Uint8Array;
  readonly method: string;
  /** The client speaks HTTP/1.0, not 1.1. */
  readonly isHttp10: boolean;
  readonly path: string;
  /** undefined: there was no `?`. */
  readonly query: string | undefined;
  /** A character for each byte, as are all header fields; "" where it was not sent. */
  readonly referrer: string;
  readonly userAgent: string;
  /** 499 until there is another. */
  status: number;
  /** Of the body, as far as it was sent. */
  bodyBytes: number;
  /** The client went away before it had all. */
  aborted: boolean;
}

/** A record: start and duration in ms, body bytes (float64), then words, then the address and the texts, each with its bytes in a word. */
const DURATION = 1;
const BODY_BYTES = 2;
const STATUS = 6;
const FLAGS = 7;
const ADDRESS_BYTES = 8;
const METHOD_BYTES = 9;
const URL_BYTES = 10;
const REFERRER_BYTES = 11;
const USER_AGENT_BYTES = 12;
const HEAD_BYTES = 56;

const ABORTED = 1;
const URL_CUT = 2;
const REFERRER_CUT = 4;
const USER_AGENT_CUT = 8;
const HTTP_1_0 = 16;

const MAX_ADDRESS_BYTES = 16;
const MAX_TEXT_BYTES =
  textLimits.methodBytes + textLimits.urlBytes + textLimits.referrerBytes + textLimits.userAgentBytes;
/** The longest record. */
export const MAX_RECORD_BYTES = HEAD_BYTES + MAX_ADDRESS_BYTES + MAX_TEXT_BYTES;
/** Texts of fewer characters than the shortest limit, so that none of them has to be cut. */
const SHORT_TEXTS = textLimits.userAgentBytes;

/**
 * Main: writes a record and makes it visible; returns the bytes it took, 0 when the ring has no room. All texts are written at once, as
 * UTF-8: as many bytes as characters, so it is ASCII, and the lengths are known. Anything else is rare and written text by text.
 */
export function writeRecord(ring: RecordRing, entry: LogEntry, durationMs: number): number {
  const { address, method, path, query, referrer, userAgent } = entry;
  const url = query === undefined ? path : `${path}?${query}`;
  const text = method + url + referrer + userAgent;
  // Room for three bytes a character: to count them first would cost more than the room.
  const textBytes = Math.min(3 * text.length, MAX_TEXT_BYTES);
  const roomBytes = HEAD_BYTES + address.length + textBytes;
  const offset = ring.reserve(roomBytes);
  if (offset === -1) return 0;

  const { bytes, floats, words } = ring;
  const addressAt = offset + HEAD_BYTES;
  for (let i = 0; i < address.length; i++) bytes[addressAt + i] = address[i]!;
  const textAt = addressAt + address.length;
  const word = offset >> 2;
  const isShort = text.length < SHORT_TEXTS && method.length <= textLimits.methodBytes;
  if (isShort && bytes.write(text, textAt, textBytes, "utf8") === text.length) {
    words[word + FLAGS] = 0;
    words[word + METHOD_BYTES] = method.length;
    words[word + URL_BYTES] = url.length;
    words[word + REFERRER_BYTES] = referrer.length;
    words[word + USER_AGENT_BYTES] = userAgent.length;
  } else {
    writeTexts(ring, word, textAt, entry, url);
  }
  if (entry.isHttp10) words[word + FLAGS]! |= HTTP_1_0;
  if (entry.aborted) words[word + FLAGS]! |= ABORTED;

  const float = offset >> 3;
  floats[float] = entry.startMs;
  floats[float + DURATION] = durationMs;
  floats[float + BODY_BYTES] = entry.bodyBytes;
  words[word + STATUS] = entry.status;
  words[word + ADDRESS_BYTES] = address.length;
  ring.commit();
  return roomBytes;
}

/** Any texts, each cut to its limit; header fields as the bytes they were. */
function writeTexts(
  { bytes, words }: RecordRing,
  word: number,
  textAt: number,
  { method, referrer, userAgent }: LogEntry,
  url: string,
): void {
  let at = textAt;
  let flags = 0;
  const write = (
    text: string,
    limitBytes: number,
    encoding: "utf8" | "latin1",
    lengthWord: number,
    cut: number,
  ): void => {
    // It stops before a character that does not fit.
    const written = bytes.write(text, at, limitBytes, encoding);
    if (written < Buffer.byteLength(text, encoding)) flags |= cut;
    words[word + lengthWord] = written;
    at += written;
  };
  write(method, textLimits.methodBytes, "latin1", METHOD_BYTES, 0);
  write(url, textLimits.urlBytes, "utf8", URL_BYTES, URL_CUT);
  write(referrer, textLimits.referrerBytes, "latin1", REFERRER_BYTES, REFERRER_CUT);
  write(userAgent, textLimits.userAgentBytes, "latin1", USER_AGENT_BYTES, USER_AGENT_CUT);
  words[word + FLAGS] = flags;
}

/** A record as it lies in the ring: figures, and where in `bytes` each text starts; it ends where the next one does. */
export class LogRecord {
  startMs = 0;
  durationMs = 0;
  bodyBytes = 0;
  status = 0;
  aborted = false;
  isHttp10 = false;
  urlCut = false;
  referrerCut = false;
  userAgentCut = false;
  readonly bytes: Buffer;
  address = 0;
  method = 0;
  url = 0;
  referrer = 0;
  userAgent = 0;
  end = 0;

  constructor(ring: RecordRing) {
    this.bytes = ring.bytes;
  }

  /** Background: reads the record at an offset that `peek` gave; it holds until the ring's `release`. */
  read({ floats, words }: RecordRing, offset: number): void {
    const float = offset >> 3;
    this.startMs = floats[float]!;
    this.durationMs = floats[float + DURATION]!;
    this.bodyBytes = floats[float + BODY_BYTES]!;
    const word = offset >> 2;
    const flags = words[word + FLAGS]!;
    this.status = words[word + STATUS]!;
    this.aborted = (flags & ABORTED) !== 0;
    this.isHttp10 = (flags & HTTP_1_0) !== 0;
    this.urlCut = (flags & URL_CUT) !== 0;
    this.referrerCut = (flags & REFERRER_CUT) !== 0;
    this.userAgentCut = (flags & USER_AGENT_CUT) !== 0;
    this.address = offset + HEAD_BYTES;
    this.method = this.address + words[word + ADDRESS_BYTES]!;
    this.url = this.method + words[word + METHOD_BYTES]!;
    this.referrer = this.url + words[word + URL_BYTES]!;
    this.userAgent = this.referrer + words[word + REFERRER_BYTES]!;
    this.end = this.userAgent + words[word + USER_AGENT_BYTES]!;
  }
}
