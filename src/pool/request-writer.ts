import type { BodyCollector } from "../core.js";
import { NO_BODY, NO_FIELDS, NO_HEADERS } from "../shared/handlers/handler.js";
import type { ServerRequest } from "../shared/handlers/request.js";
import type { ClaimRing } from "../shared/memory/claim-ring.js";
import { copyBytes, NONE, PAGE_BYTES, type PageArena, PageLender, pagesFor } from "../shared/memory/page-arena.js";
import { methodNumber, OTHER_METHOD } from "../shared/stats/status-segment.js";
import type { CollectedBody } from "./collected-body.js";
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

/** Main's side of requests in their slots: writes them, and owns the pages of what does not fit. */
export class RequestWriter {
  readonly #ring: ClaimRing;
  readonly #arena: PageArena;
  readonly #lender: PageLender;
  readonly #onUse: (bytes: number) => void;
  /** By slot: 1 + the first of its pages, 0 without any. */
  readonly #pageOf: Int32Array;
  /** Slots that have pages, in no order, and by slot where it stands among them. */
  readonly #holders: Int32Array;
  readonly #holderIndex: Int32Array;
  #holderCount = 0;
  /** Bodies that have pages before their requests have slots. */
  readonly #collected = new Map<ServerRequest, CollectedBody>();
  #hasCollected = false;
  #CollectedBody: typeof CollectedBody | null = null;

  /** `onUse` is told how many bytes of pages are lent when that changes. */
  constructor(ring: ClaimRing, arena: PageArena, onUse: (bytes: number) => void = () => {}) {
    this.#ring = ring;
    this.#onUse = onUse;
    this.#arena = arena;
    this.#lender = new PageLender(arena);
    this.#pageOf = new Int32Array(ring.slots);
    this.#holders = new Int32Array(ring.slots);
    this.#holderIndex = new Int32Array(ring.slots);
  }

  get freePages(): number {
    return this.#lender.freePages;
  }

  /** The pages for a body that arrives in pieces: they are lent until its request is written, or they are given back. */
  collect(request: ServerRequest): BodyCollector | null {
    if (this.#CollectedBody === null) {
      this.#loadCollectedBody();
      return null;
    }
    return new this.#CollectedBody(this.#arena, this.#lender, {
      mayLend: this.#isHalfFree,
      onPages: (collected) => {
        if (collected.first === NONE) this.#collected.delete(request);
        else this.#collected.set(request, collected);
        this.#hasCollected = this.#collected.size > 0;
        this.#tellUse();
      },
    });
  }

  /** The first body loads what collects those after it. */
  async #loadCollectedBody(): Promise<void> {
    const { CollectedBody } = await import("./collected-body.js");
    this.#CollectedBody = CollectedBody;
  }

  /** Half of the pages are kept for bodies that are whole: slow clients cannot take them. */
  readonly #isHalfFree = (count: number): boolean => {
    const least = this.#arena.pages / 2 + count;
    return this.freePages >= least || (this.#takeBackRead() && this.freePages >= least);
  };

  /** A request is refused before it is written. */
  discard(request: ServerRequest): void {
    this.#collected.get(request)?.discard();
  }

  /**
   * Writes a request into a slot that is reserved; false when too few pages are free for it. `upload`: the number of its stream, 0 where the
   * body is there.
   */
  write(slot: number, request: ServerRequest, measured: boolean, upload: number): boolean {
    const { query } = request;
    let { path, body } = request;
    const method = methodNumber(request.method);
    if (method === OTHER_METHOD) path = `${request.method} ${path}`;
    const isAll = request.fields !== NO_FIELDS;
    const fields = isAll ? [...request.fields, request.remoteAddress].join(SEPARATOR) : textOf(request);
    const { words, bytes, payloadBytes } = this.#ring;
    const offset = this.#ring.payloadOffset(slot);
    const word = offset >> 2;
    let bodyBytes = body === NO_BODY ? 0 : body.byteLength;
    const roomBytes = payloadBytes - HEAD_BYTES - TAIL_BYTES;
    let flags = (measured ? MEASURED : 0) | (isAll ? ALL_FIELDS : 0);
    // UTF-8 takes three bytes for a UTF-16 unit at most: only what could be too long is measured.
    const textBytesAtMost = (path.length + query.length + fields.length) * 3;
    const collected = this.#hasCollected ? this.#collected.get(request) : undefined;
    if (collected !== undefined && textBytesAtMost <= roomBytes) {
      bodyBytes = collected.bytes;
      flags |= BODY_IN_PAGES;
      this.#hold(slot, collected.first);
      collected.handOver();
    } else if (textBytesAtMost + bodyBytes > roomBytes) {
      if (collected !== undefined) {
        // Texts stand before the body in the pages: seldom enough to move it.
        const moved = Buffer.allocUnsafe(collected.bytes);
        collected.moveTo(moved);
        body = moved;
        bodyBytes = moved.byteLength;
      }
      const pages = this.#writePages(slot, roomBytes, path, query, fields, body);
      if (pages === NONE) return false;
      flags |= pages;
    }
    words[word + METHOD_WORD] = method;
    if ((flags & IN_PAGES) === 0) {
      const start = offset + HEAD_BYTES;
      const pathBytes = writeText(bytes, path, start);
      words[word + PATH_BYTES_WORD] = pathBytes;
      const queryBytes = writeText(bytes, query, start + pathBytes);
      words[word + QUERY_BYTES_WORD] = queryBytes;
      const fieldsBytes = fields === "" ? 0 : writeText(bytes, fields, start + pathBytes + queryBytes);
      words[word + FIELDS_BYTES_WORD] = fieldsBytes;
      if (bodyBytes > 0 && (flags & BODY_IN_PAGES) === 0) {
        copyBytes(bytes, start + pathBytes + queryBytes + fieldsBytes, body);
      }
    }
    if (bodyBytes > 0) {
      flags |= HAS_BODY;
      words[this.#tailWord(slot) + BODY_WORD] = bodyBytes;
    } else if (upload !== 0) {
      flags |= STREAMED;
      words[this.#tailWord(slot) + UPLOAD_WORD] = upload;
    }
    words[word + FLAGS_WORD] = flags;
    return true;
  }

  /** Writes into pages what does not fit the slot, if anything; returns its flags, or NONE when too few pages are free. */
  #writePages(slot: number, roomBytes: number, path: string, query: string, fields: string, body: Uint8Array): number {
    const pathBytes = Buffer.byteLength(path);
    const queryBytes = Buffer.byteLength(query);
    const fieldsBytes = Buffer.byteLength(fields);
    const textBytes = pathBytes + queryBytes + fieldsBytes;
    const textsFit = textBytes <= roomBytes;
    if (textsFit && textBytes + body.byteLength <= roomBytes) return 0;
    const first = this.#lend(slot, pagesFor(body.byteLength + (textsFit ? 0 : textBytes)));
    if (first === NONE) return NONE;
    const { words } = this.#ring;
    const word = this.#ring.payloadOffset(slot) >> 2;
    if (textsFit) {
      this.#arena.write(first, 0, body);
      return BODY_IN_PAGES;
    }
    words[word + PATH_BYTES_WORD] = pathBytes;
    words[word + QUERY_BYTES_WORD] = queryBytes;
    words[word + FIELDS_BYTES_WORD] = fieldsBytes;
    this.#arena.write(first, 0, Buffer.from(path + query + fields));
    if (body.byteLength === 0) return IN_PAGES;
    this.#arena.write(first, textBytes, body);
    return IN_PAGES | BODY_IN_PAGES;
  }

  #lend(slot: number, count: number): number {
    let first = this.#lender.lend(count);
    if (first === NONE && this.#takeBackRead()) first = this.#lender.lend(count);
    if (first === NONE) return NONE;
    this.#hold(slot, first);
    this.#tellUse();
    return first;
  }

  /** A chain is a slot's from now on. */
  #hold(slot: number, first: number): void {
    this.#pageOf[slot] = 1 + first;
    this.#ring.words[(this.#ring.payloadOffset(slot) >> 2) + PAGE_WORD] = first;
    this.#holderIndex[slot] = this.#holderCount;
    this.#holders[this.#holderCount++] = slot;
  }

  /** Takes the pages of requests back that are in service: their owners have copied them. Whether there were any. */
  #takeBackRead(): boolean {
    let found = false;
    for (let i = this.#holderCount - 1; i >= 0; i--) {
      const slot = this.#holders[i]!;
      const read = Atomics.load(this.#ring.words, this.#tailWord(slot) + READ_WORD);
      if (read !== this.#ring.generation(slot) || this.#ring.ownerOf(slot) === -1) continue;
      this.free(slot);
      found = true;
    }
    return found;
  }

  /** The slot is about to be given back: so are its pages. An owner that still reads them finds out that the slot is no longer its own. */
  free(slot: number): void {
    const page = this.#pageOf[slot]!;
    if (page === 0) return;
    this.#pageOf[slot] = 0;
    const last = this.#holders[--this.#holderCount]!;
    const index = this.#holderIndex[slot]!;
    this.#holders[index] = last;
    this.#holderIndex[last] = index;
    this.#lender.takeBack(page - 1);
    this.#tellUse();
  }

  #tellUse(): void {
    this.#onUse((this.#arena.pages - this.#lender.freePages) * PAGE_BYTES);
  }

  /** Nobody waits for the answer to the request of a slot any more. Whether its owner wants to be told. */
  abandon(slot: number): boolean {
    const { words } = this.#ring;
    const tail = this.#tailWord(slot);
    const generation = this.#ring.generation(slot);
    Atomics.store(words, tail + GONE_WORD, generation);
    return Atomics.load(words, tail + INTEREST_WORD) === generation;
  }

  #tailWord(slot: number): number {
    return (this.#ring.payloadOffset(slot) + this.#ring.payloadBytes - TAIL_BYTES) >> 2;
  }
}

function textOf({ headers }: ServerRequest): string {
  return headers === NO_HEADERS ? "" : Object.entries(headers).flat().join(SEPARATOR);
}

/** A call into C++ costs more than writing this many characters here. */
const SHORT_TEXT = 48;

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
