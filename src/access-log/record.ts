import type { RecordRing } from "../shared/memory/record-ring.js";

/** What is cut where it is longer; bytes. µWS takes heads of 4096 bytes in all unless it is told otherwise. */
export const limits = { methodBytes: 32, urlBytes: 2048, referrerBytes: 1024, userAgentBytes: 512 } as const;

/** One request and how it was answered, as the front knows it: written into the ring as it is, put into words elsewhere. */
export interface LogEntry {
  /** Of the clock that all threads share, ms. */
  readonly startMs: number;
  /** 4 or 16 bytes; none for what is no IP socket. */
  readonly address: Uint8Array;
  readonly method: string;
  readonly path: string;
  /** undefined: there was no `?`. */
  readonly query: string | undefined;
  /** A character for each byte, as are all header fields; "" where it was not sent. */
  readonly referrer: string;
  readonly userAgent: string;
  /** UNANSWERED until there is another. */
  status: number;
  /** Of the body, as far as it was sent. */
  bodyBytes: number;
  /** The client went away before it had all. */
  aborted: boolean;
}

/** The status of a request whose client went away before it was answered, as nginx has it. */
export const UNANSWERED = 499;

/** A record: start and duration in ms, body bytes (float64), then words, then the texts in the order of their lengths. */
const DURATION = 1;
const BODY_BYTES = 2;
const STATUS = 6;
const FLAGS = 7;
const ADDRESS_BYTES = 8;
const METHOD_BYTES = 9;
const REFERRER_BYTES = 10;
const USER_AGENT_BYTES = 11;
const URL_BYTES = 12;
const HEAD_BYTES = 56;

const ABORTED = 1;
const URL_CUT = 2;
const REFERRER_CUT = 4;
const USER_AGENT_CUT = 8;

const MAX_ADDRESS_BYTES = 16;
/** The longest record. */
export const MAX_RECORD_BYTES =
  HEAD_BYTES + MAX_ADDRESS_BYTES + limits.methodBytes + limits.referrerBytes + limits.userAgentBytes + limits.urlBytes;

/**
 * Main: writes a record and makes it visible; returns the bytes it took, 0 when the ring has no room. Room is taken for an URL in which
 * each character has three bytes: to count them first would cost more than the room.
 */
export function writeRecord(ring: RecordRing, entry: LogEntry, durationMs: number): number {
  const { address, query } = entry;
  let flags = entry.aborted ? ABORTED : 0;
  let { method, referrer, userAgent } = entry;
  if (method.length > limits.methodBytes) method = method.slice(0, limits.methodBytes);
  if (referrer.length > limits.referrerBytes) {
    referrer = referrer.slice(0, limits.referrerBytes);
    flags |= REFERRER_CUT;
  }
  if (userAgent.length > limits.userAgentBytes) {
    userAgent = userAgent.slice(0, limits.userAgentBytes);
    flags |= USER_AGENT_CUT;
  }
  const url = query === undefined ? entry.path : `${entry.path}?${query}`;
  const urlRoomBytes = Math.min(3 * url.length, limits.urlBytes);
  const fields = method + referrer + userAgent;

  const roomBytes = HEAD_BYTES + address.length + fields.length + urlRoomBytes;
  const offset = ring.reserve(roomBytes);
  if (offset === -1) return 0;
  const { bytes, floats, words } = ring;
  let at = offset + HEAD_BYTES;
  for (let i = 0; i < address.length; i++) bytes[at++] = address[i]!;
  bytes.write(fields, at, "latin1");
  at += fields.length;
  // It stops before a character that does not fit.
  const urlBytes = bytes.write(url, at, urlRoomBytes, "utf8");
  if (3 * url.length > limits.urlBytes && urlBytes < Buffer.byteLength(url)) flags |= URL_CUT;

  const float = offset >> 3;
  floats[float] = entry.startMs;
  floats[float + DURATION] = durationMs;
  floats[float + BODY_BYTES] = entry.bodyBytes;
  const word = offset >> 2;
  words[word + STATUS] = entry.status;
  words[word + FLAGS] = flags;
  words[word + ADDRESS_BYTES] = address.length;
  words[word + METHOD_BYTES] = method.length;
  words[word + REFERRER_BYTES] = referrer.length;
  words[word + USER_AGENT_BYTES] = userAgent.length;
  words[word + URL_BYTES] = urlBytes;
  ring.commit();
  return roomBytes;
}

/** A record as it lies in the ring: figures, and where in `bytes` each text starts; it ends where the next one does. */
export class LogRecord {
  startMs = 0;
  durationMs = 0;
  bodyBytes = 0;
  status = 0;
  aborted = false;
  urlCut = false;
  referrerCut = false;
  userAgentCut = false;
  readonly bytes: Buffer;
  address = 0;
  method = 0;
  referrer = 0;
  userAgent = 0;
  url = 0;
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
    this.urlCut = (flags & URL_CUT) !== 0;
    this.referrerCut = (flags & REFERRER_CUT) !== 0;
    this.userAgentCut = (flags & USER_AGENT_CUT) !== 0;
    this.address = offset + HEAD_BYTES;
    this.method = this.address + words[word + ADDRESS_BYTES]!;
    this.referrer = this.method + words[word + METHOD_BYTES]!;
    this.userAgent = this.referrer + words[word + REFERRER_BYTES]!;
    this.url = this.userAgent + words[word + USER_AGENT_BYTES]!;
    this.end = this.url + words[word + URL_BYTES]!;
  }
}
