import { type HandlerRequest, NO_HEADERS, type RequestHeaders } from "../shared/handlers/handler.js";
import type { ClaimRing } from "../shared/memory/claim-ring.js";
import { methods, type StatusSegment } from "../shared/stats/status-segment.js";

/**
 * A request in its slot: six words, then path, query and header fields in UTF-8. Where the texts do not fit they lie in a block of their own, which is
 * the slot's as long as the request is: main hands blocks out and takes them back, the slot's owner reads.
 */
const METHOD_WORD = 0;
const PATH_BYTES_WORD = 1;
const QUERY_BYTES_WORD = 2;
/** 1: the worker is to send the times of this request with its answer. */
const MEASURED_WORD = 3;
/** 0: the texts follow; else 1 + the number of the block they lie in. */
const BLOCK_WORD = 4;
/** Of the header fields that the handler reads: name, value, name, value, …; 0 where the request has none of them. */
const FIELDS_BYTES_WORD = 5;
const HEAD_BYTES = 24;

/** No adapter lets a line feed into a field's value (RFC 9110 §5.5), so it can stand between them. */
const SEPARATOR = "\n";

/** A head of 16 KiB (--max-header by default), each byte of which may have become a replacement character of three. */
const BLOCK_BYTES = 48 * 1024;
/** Long requests that can be queued or in service at once. Memory that is never used costs nothing. */
const BLOCKS = 64;

/** Bytes of shared memory for the blocks. */
export const LONG_REQUESTS_BYTES = BLOCKS * BLOCK_BYTES;

/** Main's side. */
export class RequestWriter {
  readonly #ring: ClaimRing;
  readonly #long: Buffer;
  readonly #freeBlocks = Array.from({ length: BLOCKS }, (_, block) => block);
  /** By slot: 1 + the block it has, 0 for none. */
  readonly #blockOf: Int32Array;

  constructor(ring: ClaimRing, longRequests: SharedArrayBuffer) {
    this.#ring = ring;
    this.#long = Buffer.from(longRequests);
    this.#blockOf = new Int32Array(ring.slots);
  }

  /** Writes a request into a slot that is reserved; false when it is long and all blocks are in use, or longer than a block. */
  write(slot: number, { method, path, query, headers }: HandlerRequest, measured: boolean): boolean {
    const fields = headers === NO_HEADERS ? "" : Object.entries(headers).flat().join(SEPARATOR);
    const { words, bytes, payloadBytes } = this.#ring;
    const offset = this.#ring.payloadOffset(slot);
    const word = offset >> 2;
    let texts = bytes;
    let start = offset + HEAD_BYTES;
    let block = 0;
    // UTF-8 takes three bytes for a UTF-16 unit at most: only a text that could be too long is measured.
    const roomBytes = payloadBytes - HEAD_BYTES;
    if ((path.length + query.length + fields.length) * 3 > roomBytes) {
      const neededBytes = Buffer.byteLength(path) + Buffer.byteLength(query) + Buffer.byteLength(fields);
      if (neededBytes > roomBytes) {
        if (neededBytes > BLOCK_BYTES) return false;
        block = 1 + (this.#freeBlocks.pop() ?? -1);
        if (block === 0) return false;
      }
    }
    if (block > 0) {
      this.#blockOf[slot] = block;
      texts = this.#long;
      start = (block - 1) * BLOCK_BYTES;
    }
    const pathBytes = writeText(texts, path, start);
    words[word + METHOD_WORD] = methods.indexOf(method);
    words[word + MEASURED_WORD] = measured ? 1 : 0;
    words[word + BLOCK_WORD] = block;
    words[word + PATH_BYTES_WORD] = pathBytes;
    const queryBytes = writeText(texts, query, start + pathBytes);
    words[word + QUERY_BYTES_WORD] = queryBytes;
    words[word + FIELDS_BYTES_WORD] = fields === "" ? 0 : writeText(texts, fields, start + pathBytes + queryBytes);
    return true;
  }

  /** The slot is about to be given back: so is its block. An owner that still reads it finds out that the slot is no longer its own. */
  free(slot: number): void {
    const block = this.#blockOf[slot]!;
    if (block === 0) return;
    this.#blockOf[slot] = 0;
    this.#freeBlocks.push(block - 1);
  }
}

/** A worker's side. */
export class RequestReader {
  readonly #ring: ClaimRing;
  readonly #long: Buffer;
  readonly #longWords: Int32Array;

  constructor(ring: ClaimRing, longRequests: SharedArrayBuffer) {
    this.#ring = ring;
    this.#long = Buffer.from(longRequests);
    this.#longWords = new Int32Array(longRequests);
  }

  /** Writes method and path of a slot it has claimed into the status of its worker. */
  prepareStatus(slot: number, status: StatusSegment, worker: number): void {
    const { words } = this.#ring;
    const word = this.#ring.payloadOffset(slot) >> 2;
    const block = words[word + BLOCK_WORD]!;
    const isLong = block !== 0;
    const pathWord = isLong ? ((block - 1) * BLOCK_BYTES) >> 2 : word + (HEAD_BYTES >> 2);
    const from = isLong ? this.#longWords : words;
    status.prepare(worker, words[word + METHOD_WORD]!, from, pathWord, words[word + PATH_BYTES_WORD]!);
  }

  /** Reads the request of a slot it has claimed. */
  read(slot: number): HandlerRequest {
    const { words } = this.#ring;
    const offset = this.#ring.payloadOffset(slot);
    const word = offset >> 2;
    const block = words[word + BLOCK_WORD]!;
    const texts = block === 0 ? this.#ring.bytes : this.#long;
    const pathStart = block === 0 ? offset + HEAD_BYTES : (block - 1) * BLOCK_BYTES;
    const queryStart = pathStart + words[word + PATH_BYTES_WORD]!;
    const fieldsStart = queryStart + words[word + QUERY_BYTES_WORD]!;
    const fieldsBytes = words[word + FIELDS_BYTES_WORD]!;
    return {
      method: methods[words[word + METHOD_WORD]!]!,
      path: readText(texts, pathStart, queryStart),
      query: readText(texts, queryStart, fieldsStart),
      headers: fieldsBytes === 0 ? NO_HEADERS : headersFrom(readText(texts, fieldsStart, fieldsStart + fieldsBytes)),
    };
  }

  /** Whether main wants the times of the request in a slot it has claimed. */
  isMeasured(slot: number): boolean {
    return this.#ring.words[(this.#ring.payloadOffset(slot) >> 2) + MEASURED_WORD] === 1;
  }
}

function headersFrom(text: string): RequestHeaders {
  const parts = text.split(SEPARATOR);
  const headers: Record<string, string> = {};
  for (let i = 0; i + 1 < parts.length; i += 2) headers[parts[i]!] = parts[i + 1]!;
  return headers;
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
  const index = (hash ^ (hash >>> 8)) & (lately.length - 1);
  const known = lately[index];
  if (known !== undefined && isSame(known.bytes, bytes, start, length)) return known.text;
  // A copy first: who only looks may see the bytes change, and what is remembered must belong together.
  const copy = Buffer.from(bytes.subarray(start, end));
  const text = copy.toString("utf8");
  lately[index] = { text, bytes: copy };
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
