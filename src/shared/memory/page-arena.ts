import { copyBytes } from "./copy-bytes.js";

/**
 * Pages of shared memory that main lends to slots of a ring, for what does not fit a slot. A loan is a chain of pages: it is main's to
 * make and to take back, with the slot, so that what a dead reader held comes back without its help.
 *
 * | word     | written by                                          | read by          | if the writer dies there |
 * |----------|-----------------------------------------------------|------------------|--------------------------|
 * | `next`   | main: before the slot that names the chain is published | the slot's owner | (main: the process ends) |
 * | a page's bytes | main: before the slot is published            | the slot's owner | (main: the process ends) |
 *
 * Which pages are free only main knows, in memory of its own: no reader can damage that. A reader whose slot is withdrawn while it reads may
 * see pages of the next loan, and links of both: each link names a page at all times, and the reader stops after the bytes it was told of.
 * It must look afterwards whether the slot is still its own.
 */

/** Bytes a page carries. */
export const PAGE_BYTES = 16 * 1024;
/** From page to page: an odd number of cache lines, so that first bytes of pages spread over all cache sets. */
const STRIDE_BYTES = PAGE_BYTES + 64;
/** No page. */
export const NONE = -1;

/** Offsets have to fit 32 bits. */
const MAX_PAGES = 2 ** 16;

/** Bytes of shared memory for `pages` pages. Throws RangeError unless that is from 1 to 2¹⁶. */
export function pageArenaBytes(pages: number): number {
  if (!Number.isInteger(pages) || pages < 1 || pages > MAX_PAGES) {
    throw new RangeError(`an arena has from 1 to ${MAX_PAGES} pages, not ${pages}`);
  }
  return linkBytes(pages) + pages * STRIDE_BYTES;
}

/** The links stand before the pages, which start at a cache line. */
function linkBytes(pages: number): number {
  return Math.ceil((pages * 4) / 64) * 64;
}

/** How many pages carry so many bytes. */
export function pagesFor(bytes: number): number {
  return Math.ceil(bytes / PAGE_BYTES);
}

/** One thread's view of the pages. */
export class PageArena {
  readonly pages: number;
  /** All bytes: a page's start at `offsetOf(page)`. */
  readonly bytes: Buffer;
  /** The same memory in words; the links first. */
  readonly words: Int32Array;
  readonly #firstByte: number;

  constructor(memory: SharedArrayBuffer, pages: number) {
    if (memory.byteLength < pageArenaBytes(pages)) throw new RangeError("the memory is smaller than the arena");
    this.pages = pages;
    this.bytes = Buffer.from(memory);
    this.words = new Int32Array(memory);
    this.#firstByte = linkBytes(pages);
  }

  /** Where a page's bytes start in `bytes`: at a cache line. */
  offsetOf(page: number): number {
    return this.#firstByte + page * STRIDE_BYTES;
  }

  /** Main: copies bytes into a chain, from its byte `at` on, as far as it is long enough for all of them. */
  write(first: number, at: number, source: Uint8Array): void {
    let page = first;
    let skip = at;
    for (; skip >= PAGE_BYTES; skip -= PAGE_BYTES) page = this.words[page]!;
    for (let done = 0; done < source.byteLength; ) {
      const count = Math.min(PAGE_BYTES - skip, source.byteLength - done);
      const isAll = count === source.byteLength;
      copyBytes(this.bytes, this.offsetOf(page) + skip, isAll ? source : source.subarray(done, done + count));
      done += count;
      skip = 0;
      page = this.words[page]!;
    }
  }

  /** The slot's owner: copies bytes of a chain, from its byte `at` on, until `target` is full. */
  read(first: number, at: number, target: Buffer): void {
    let page = first;
    let skip = at;
    for (; skip >= PAGE_BYTES; skip -= PAGE_BYTES) page = this.words[page]!;
    for (let done = 0; done < target.byteLength; ) {
      const count = Math.min(PAGE_BYTES - skip, target.byteLength - done);
      const start = this.offsetOf(page) + skip;
      copyBytes(target, done, this.bytes.subarray(start, start + count));
      done += count;
      skip = 0;
      page = this.words[page]!;
    }
  }
}

/** Main's side: lends pages and takes them back. */
export class PageLender {
  readonly #arena: PageArena;
  /** Free pages; the one that came back last is lent first, since its bytes are still in the processor's cache. */
  readonly #free: Int32Array;
  #freeCount: number;

  constructor(arena: PageArena) {
    this.#arena = arena;
    this.#freeCount = arena.pages;
    // Lent from the end, so that what is never needed is never touched.
    this.#free = Int32Array.from({ length: arena.pages }, (_, i) => arena.pages - 1 - i);
  }

  get freePages(): number {
    return this.#freeCount;
  }

  /** A chain of `count` pages: its first one, or NONE when fewer are free. */
  lend(count: number): number {
    if (count > this.#freeCount) return NONE;
    const { words } = this.#arena;
    // The last page's link names itself: a reader that has lost its slot stays inside.
    let next = this.#free[this.#freeCount - count]!;
    let page = next;
    for (let i = this.#freeCount - count; i < this.#freeCount; i++) {
      page = this.#free[i]!;
      words[page] = next;
      next = page;
    }
    this.#freeCount -= count;
    return page;
  }

  /** Adds `count` pages to the chain that ends with `last`: its new last page, or NONE when fewer are free. */
  extend(last: number, count: number): number {
    const { words } = this.#arena;
    let page = this.lend(count);
    if (page === NONE) return NONE;
    words[last] = page;
    while (words[page] !== page) page = words[page]!;
    return page;
  }

  /** Takes a chain back, once nobody is to read it any more. */
  takeBack(first: number): void {
    const { words } = this.#arena;
    for (let page = first; ; ) {
      const next = words[page]!;
      this.#free[this.#freeCount++] = page;
      if (next === page) return;
      page = next;
    }
  }
}
