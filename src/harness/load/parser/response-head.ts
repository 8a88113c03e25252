/** What the generator needs of a response's head. */
export interface ResponseHead {
  status: number;
  /** −1 where the head names none. */
  contentLength: number;
  /** The last transfer coding is "chunked". */
  chunked: boolean;
  /** There is a transfer coding: a length beside it does not count (RFC 9112 §6.3). */
  coded: boolean;
  /** The connection may be used again, as far as the head says. */
  keepAlive: boolean;
  /** The `Server` header, or `uWebSockets` with the version µWS puts there; "" without one. Read once: it does not change. */
  server: string;
}

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const SPACE = 0x20;
const TAB = 0x09;

const STATUS_LINE_START = Buffer.from("HTTP/1.");
const CONTENT_LENGTH = Buffer.from("content-length");
const TRANSFER_ENCODING = Buffer.from("transfer-encoding");
const CONNECTION = Buffer.from("connection");
const KEEP_ALIVE = Buffer.from("keep-alive");
const SERVER = Buffer.from("server");
const UWS = Buffer.from("uwebsockets");

/** Whether `bytes` can be the beginning of a head: another protocol shows before its first line ends. */
export function isHeadSoFar(bytes: Buffer): boolean {
  const known = Math.min(bytes.length, STATUS_LINE_START.length);
  return bytes.subarray(0, known).equals(STATUS_LINE_START.subarray(0, known));
}

/** Reads the head in `bytes[start, end)`, blank line included, into `head`. False for what RFC 9112 §4 and §6 do not allow. */
export function parseHead(bytes: Buffer, start: number, end: number, head: ResponseHead): boolean {
  // "HTTP/1.1 200 ": the reason phrase may be empty, its space may be missing.
  for (let i = 0; i < STATUS_LINE_START.length; i++) if (bytes[start + i] !== STATUS_LINE_START[i]) return false;
  const minor = bytes[start + 7]! - 0x30;
  if ((minor !== 0 && minor !== 1) || bytes[start + 8] !== SPACE) return false;
  const status = digits(bytes, start + 9, start + 12);
  if (status < 100 || status > 999 || bytes[start + 12]! > SPACE) return false;
  head.status = status;
  head.contentLength = -1;
  head.chunked = false;
  head.coded = false;
  head.keepAlive = minor === 1;

  let lineStart = lineEnd(bytes, start, end) + 1;
  // There is nothing yet that such a line could go on with (RFC 9112 §2.2).
  if (isBlank(bytes[lineStart]!)) return false;
  while (lineStart < end) {
    let lf = lineEnd(bytes, lineStart, end);
    const isFolded = lf > lineStart + 1 && lf + 1 < end && isBlank(bytes[lf + 1]!);
    while (isFolded && lf + 1 < end && isBlank(bytes[lf + 1]!)) lf = lineEnd(bytes, lf + 1, end);
    const stop = bytes[lf - 1] === CR ? lf - 1 : lf;
    if (stop <= lineStart) return true;
    const isGood = isFolded
      ? parseField(unfolded(bytes, lineStart, stop), 0, stop - lineStart, head)
      : parseField(bytes, lineStart, stop, head);
    if (!isGood) return false;
    lineStart = lf + 1;
  }
  return true;
}

/** A copy of a field that goes on in further lines, in one: a user agent must replace each fold by spaces (RFC 9112 §5.2). */
function unfolded(bytes: Buffer, start: number, stop: number): Buffer {
  const line = Buffer.from(bytes.subarray(start, stop));
  for (let i = 0; i < line.length; i++) {
    if (line[i] !== LF) continue;
    line[i] = SPACE;
    if (line[i - 1] === CR) line[i - 1] = SPACE;
  }
  return line;
}

function parseField(bytes: Buffer, start: number, stop: number, head: ResponseHead): boolean {
  let colon = start;
  while (colon < stop && bytes[colon] !== COLON) colon++;
  // Blank before the colon: one reader takes the name with it, another without (RFC 9112 §5.1).
  if (colon === stop || colon === start || isBlank(bytes[colon - 1]!)) return false;
  let valueStart = colon + 1;
  while (valueStart < stop && isBlank(bytes[valueStart]!)) valueStart++;
  let valueEnd = stop;
  while (valueEnd > valueStart && isBlank(bytes[valueEnd - 1]!)) valueEnd--;

  // The length of the name rules nearly all fields out.
  switch (colon - start) {
    case CONTENT_LENGTH.length: {
      if (!isName(bytes, start, CONTENT_LENGTH)) return true;
      const length = digits(bytes, valueStart, valueEnd);
      // Two that differ cannot both be true (RFC 9112 §6.3).
      if (length < 0 || (head.contentLength >= 0 && head.contentLength !== length)) return false;
      head.contentLength = length;
      return true;
    }
    case TRANSFER_ENCODING.length:
      if (isName(bytes, start, TRANSFER_ENCODING)) {
        head.coded = true;
        // Empty members of a list do not count (RFC 9110 §5.6.1.2).
        head.chunked = /(?:^|[,\s])chunked[,\s]*$/i.test(bytes.toString("latin1", valueStart, valueEnd));
      }
      return true;
    case CONNECTION.length:
      if (isName(bytes, start, CONNECTION)) {
        // What nearly every server says, told without a string per response.
        if (valueEnd - valueStart === KEEP_ALIVE.length && isName(bytes, valueStart, KEEP_ALIVE)) {
          head.keepAlive = true;
          return true;
        }
        const options = bytes.toString("latin1", valueStart, valueEnd).toLowerCase();
        if (options.includes("close")) head.keepAlive = false;
        else if (options.includes("keep-alive")) head.keepAlive = true;
      }
      return true;
    case SERVER.length:
      if (head.server === "" && isName(bytes, start, SERVER))
        head.server = bytes.toString("latin1", valueStart, valueEnd);
      return true;
    case UWS.length:
      if (head.server === "" && isName(bytes, start, UWS))
        head.server = `uWebSockets/${bytes.toString("latin1", valueStart, valueEnd)}`;
      return true;
    default:
      return true;
  }
}

/** Whether the name at `start` is this one, written in lower case, in any case. */
function isName(bytes: Buffer, start: number, lowerCase: Buffer): boolean {
  for (let i = 0; i < lowerCase.length; i++) {
    const byte = bytes[start + i]!;
    if ((byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte) !== lowerCase[i]) return false;
  }
  return true;
}

/** The number that decimal digits name; −1 for anything else and for what is too large to be exact. */
function digits(bytes: Buffer, start: number, end: number): number {
  if (end <= start || end - start > 15) return -1;
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function lineEnd(bytes: Buffer, start: number, end: number): number {
  let i = start;
  while (i < end && bytes[i] !== LF) i++;
  return i;
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}
