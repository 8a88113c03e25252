import type { HandlerRequest } from "../shared/handlers/handler.js";
import type { ClaimRing } from "../shared/memory/claim-ring.js";

/** A request in its slot: four words, then path and query in UTF-8. */
const METHOD_WORD = 0;
const PATH_BYTES_WORD = 1;
const QUERY_BYTES_WORD = 2;
/** 1: the worker is to send the times of this request with its answer. */
const MEASURED_WORD = 3;
const HEAD_BYTES = 16;

const methods: readonly HandlerRequest["method"][] = ["GET", "HEAD"];

/** Main: writes a request into a slot it has reserved; false when it does not fit. */
export function writeRequest(
  ring: ClaimRing,
  slot: number,
  { method, path, query }: HandlerRequest,
  measured: boolean,
): boolean {
  const offset = ring.payloadOffset(slot);
  const word = offset >> 2;
  // UTF-8 takes three bytes for a UTF-16 unit at most: only a text that could be too long is measured.
  const roomBytes = ring.payloadBytes - HEAD_BYTES;
  if ((path.length + query.length) * 3 > roomBytes && Buffer.byteLength(path) + Buffer.byteLength(query) > roomBytes) {
    return false;
  }
  const pathBytes = writeText(ring.bytes, path, offset + HEAD_BYTES);
  ring.words[word + METHOD_WORD] = methods.indexOf(method);
  ring.words[word + MEASURED_WORD] = measured ? 1 : 0;
  ring.words[word + PATH_BYTES_WORD] = pathBytes;
  ring.words[word + QUERY_BYTES_WORD] = writeText(ring.bytes, query, offset + HEAD_BYTES + pathBytes);
  return true;
}

/** Worker: reads the request of a slot it has claimed. */
export function readRequest(ring: ClaimRing, slot: number): HandlerRequest {
  const offset = ring.payloadOffset(slot);
  const word = offset >> 2;
  const pathStart = offset + HEAD_BYTES;
  const queryStart = pathStart + ring.words[word + PATH_BYTES_WORD]!;
  const queryBytes = ring.words[word + QUERY_BYTES_WORD]!;
  return {
    method: methods[ring.words[word + METHOD_WORD]!]!,
    path: readText(ring.bytes, pathStart, queryStart),
    query: readText(ring.bytes, queryStart, queryStart + queryBytes),
  };
}

/** Worker: whether main wants the times of the request in a slot it has claimed. */
export function isMeasured(ring: ClaimRing, slot: number): boolean {
  return ring.words[(ring.payloadOffset(slot) >> 2) + MEASURED_WORD] === 1;
}

/** A call into C++ costs more than writing or comparing this many characters here. */
const SHORT_TEXT = 48;

/**
 * Texts this thread has read lately, by a hash of their bytes. Paths repeat: comparing the bytes with those of a text that is at hand
 * costs less than a call that makes the same text again, and maps know its hash already. c=100 on one CPU: 1.03 × the requests/s.
 */
const lately: ({ readonly text: string; readonly bytes: Uint8Array } | undefined)[] = new Array(256);

/** Reads UTF-8. */
function readText(bytes: Buffer, start: number, end: number): string {
  const length = end - start;
  if (length === 0) return "";
  if (length > SHORT_TEXT) return bytes.toString("utf8", start, end);
  let hash = length;
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + bytes[i]!) | 0;
  const place = (hash ^ (hash >>> 8)) & (lately.length - 1);
  const known = lately[place];
  if (known !== undefined && isSame(known.bytes, bytes, start, length)) return known.text;
  const text = bytes.toString("utf8", start, end);
  lately[place] = { text, bytes: Uint8Array.from(bytes.subarray(start, end)) };
  return text;
}

function isSame(known: Uint8Array, bytes: Uint8Array, start: number, length: number): boolean {
  if (known.length !== length) return false;
  for (let i = 0; i < length; i++) if (known[i] !== bytes[start + i]) return false;
  return true;
}

/** Writes UTF-8 and returns its bytes. */
function writeText(bytes: Buffer, text: string, offset: number): number {
  if (text.length > SHORT_TEXT) return bytes.write(text, offset, "utf8");
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return bytes.write(text, offset, "utf8");
    bytes[offset + i] = code;
  }
  return text.length;
}
