import { NO_FIELDS, NO_HEADERS, type RequestHeaders } from "../shared/handlers/handler.js";
import { ServerRequest } from "../shared/handlers/request.js";
import type { ClaimRing } from "../shared/memory/claim-ring.js";
import type { PageArena } from "../shared/memory/page-arena.js";
import { methods, type StatusSegment } from "../shared/stats/status-segment.js";
import type { IncomingUploads } from "./incoming-uploads.js";
import {
  ALL_FIELDS,
  BODY_IN_PAGES,
  BODY_WORD,
  FIELDS_BYTES_WORD,
  FLAGS_WORD,
  GONE_WORD,
  HAS_BODY,
  HEAD_BYTES,
  IN_PAGES,
  INTEREST_WORD,
  MEASURED,
  METHOD_WORD,
  PAGE_WORD,
  PATH_BYTES_WORD,
  QUERY_BYTES_WORD,
  READ_WORD,
  SEPARATOR,
  STREAMED,
  TAIL_BYTES,
  UPLOAD_WORD,
} from "./request-layout.js";
import { WatchedRequests } from "./watched-requests.js";

/** A worker's side of requests in their slots. */
export class RequestReader {
  readonly #ring: ClaimRing;
  readonly #arena: PageArena;
  readonly #uploads: IncomingUploads;
  /** Requests of this worker whose signal is looked at. */
  readonly watched = new WatchedRequests((slot, generation) => this.#watch(slot, generation));

  constructor(ring: ClaimRing, arena: PageArena, uploads: IncomingUploads) {
    this.#ring = ring;
    this.#arena = arena;
    this.#uploads = uploads;
  }

  /** Writes method and path of a slot it has claimed into the status of its worker. */
  prepareStatus(slot: number, status: StatusSegment, worker: number): void {
    const { words } = this.#ring;
    const word = this.#ring.payloadOffset(slot) >> 2;
    const isPaged = (words[word + FLAGS_WORD]! & IN_PAGES) !== 0;
    const pathWord = isPaged ? this.#arena.offsetOf(words[word + PAGE_WORD]!) >> 2 : word + (HEAD_BYTES >> 2);
    const from = isPaged ? this.#arena.words : words;
    status.prepare(worker, words[word + METHOD_WORD]!, from, pathWord, words[word + PATH_BYTES_WORD]!);
  }

  /** Reads the request of a slot it has claimed; `generation` is that of the claim. */
  read(slot: number, generation: number): ServerRequest {
    const { words } = this.#ring;
    const offset = this.#ring.payloadOffset(slot);
    const word = offset >> 2;
    const flags = words[word + FLAGS_WORD]!;
    const pathBytes = words[word + PATH_BYTES_WORD]!;
    const queryBytes = words[word + QUERY_BYTES_WORD]!;
    const fieldsBytes = words[word + FIELDS_BYTES_WORD]!;
    const textBytes = pathBytes + queryBytes + fieldsBytes;
    const isPaged = (flags & IN_PAGES) !== 0;
    const texts = isPaged ? this.#fromPages(words[word + PAGE_WORD]!, textBytes) : this.#ring.bytes;
    const start = isPaged ? 0 : offset + HEAD_BYTES;
    const queryStart = start + pathBytes;
    const fieldsStart = queryStart + queryBytes;
    const fieldsText = fieldsBytes === 0 ? "" : readText(texts, fieldsStart, fieldsStart + fieldsBytes);
    const isAll = (flags & ALL_FIELDS) !== 0;
    let method: string | undefined = methods[words[word + METHOD_WORD]!];
    let path = readText(texts, start, queryStart);
    if (method === undefined) {
      const space = path.indexOf(" ");
      method = path.slice(0, space);
      path = path.slice(space + 1);
    }
    // After all lines stands the client's address.
    const lines = isAll ? fieldsText.split(SEPARATOR) : null;
    const remoteAddress = lines?.pop();
    const head = {
      method,
      path,
      query: readText(texts, queryStart, fieldsStart),
      headers: isAll || fieldsText === "" ? NO_HEADERS : headersFrom(fieldsText),
      fields: lines ?? NO_FIELDS,
    };
    const request = new ServerRequest(head, this.watched, slot, generation);
    if (remoteAddress !== undefined) request.remoteAddress = remoteAddress;
    if ((flags & HAS_BODY) !== 0) {
      request.body = this.#body(flags, words[this.#tailWord(slot) + BODY_WORD]!, offset, textBytes);
    } else if ((flags & STREAMED) !== 0) {
      request.stream = this.#uploads.open(words[this.#tailWord(slot) + UPLOAD_WORD]!);
    }
    return request;
  }

  /** The body in memory of its own. */
  #body(flags: number, bodyBytes: number, offset: number, textBytes: number): Uint8Array {
    if ((flags & BODY_IN_PAGES) === 0) {
      const start = offset + HEAD_BYTES + textBytes;
      const body = new Uint8Array(bodyBytes);
      body.set(this.#ring.bytes.subarray(start, start + bodyBytes));
      return body;
    }
    // Not from the pool that `allocUnsafe` cuts small buffers from.
    const body = Buffer.allocUnsafeSlow(bodyBytes);
    const first = this.#ring.words[(offset >> 2) + PAGE_WORD]!;
    this.#arena.read(first, (flags & IN_PAGES) === 0 ? 0 : textBytes, body);
    // To handlers an array as any other: `slice` of a Buffer does not copy.
    return new Uint8Array(body.buffer);
  }

  #fromPages(first: number, bytes: number): Buffer {
    const texts = Buffer.allocUnsafe(bytes);
    this.#arena.read(first, 0, texts);
    return texts;
  }

  /** Its pages are not looked at any more: main may take them back before the answer. Only for a slot that is still its own. */
  done(slot: number, generation: number): void {
    const { words } = this.#ring;
    const flags = words[(this.#ring.payloadOffset(slot) >> 2) + FLAGS_WORD]!;
    if ((flags & (IN_PAGES | BODY_IN_PAGES)) === 0) return;
    Atomics.store(words, this.#tailWord(slot) + READ_WORD, generation);
  }

  /** Whether main wants the times of the request in a slot it has claimed. */
  isMeasured(slot: number): boolean {
    return (this.#ring.words[(this.#ring.payloadOffset(slot) >> 2) + FLAGS_WORD]! & MEASURED) !== 0;
  }

  /** Asks to be told when nobody waits for the answer any more; true: that is so already. */
  #watch(slot: number, generation: number): boolean {
    const { words } = this.#ring;
    const interest = this.#tailWord(slot) + INTEREST_WORD;
    // A request that was given up may come here late, and must not take the word away from the slot's next one.
    for (;;) {
      const noted = Atomics.load(words, interest);
      if (((generation - noted) | 0) <= 0) break;
      if (Atomics.compareExchange(words, interest, noted, generation) === noted) break;
    }
    return (
      Atomics.load(words, this.#tailWord(slot) + GONE_WORD) === generation || this.#ring.generation(slot) !== generation
    );
  }

  #tailWord(slot: number): number {
    return (this.#ring.payloadOffset(slot) + this.#ring.payloadBytes - TAIL_BYTES) >> 2;
  }
}

function headersFrom(text: string): RequestHeaders {
  const parts = text.split(SEPARATOR);
  const headers: Record<string, string> = {};
  for (let i = 0; i + 1 < parts.length; i += 2) headers[parts[i]!] = parts[i + 1]!;
  return headers;
}

/** A call into C++ costs more than comparing this many characters here. */
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
  // A copy first: who only looks may see the bytes change, and what is remembered must belong together.
  const copy = Buffer.from(bytes.subarray(start, end));
  const text = copy.toString("utf8");
  lately[place] = { text, bytes: copy };
  return text;
}

function isSame(known: Uint8Array, bytes: Uint8Array, start: number, length: number): boolean {
  if (known.length !== length) return false;
  for (let i = 0; i < length; i++) if (known[i] !== bytes[start + i]) return false;
  return true;
}
