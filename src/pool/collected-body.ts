import type { BodyCollector } from "../core.js";
import { NONE, PAGE_BYTES, type PageArena, type PageLender, pagesFor } from "../shared/memory/page-arena.js";

/** What a collected body asks its owner. */
export interface PagesOwner {
  /** Whether so many pages may be lent to bodies that are not whole. */
  mayLend(count: number): boolean;
  /** A body has more pages, or none any more. */
  onPages(collected: CollectedBody): void;
}

/** A body whose pieces go into pages as they arrive, so that main need not copy it once more when it is whole. No slot has it yet. */
export class CollectedBody implements BodyCollector {
  /** Its first page; NONE without any. */
  first = NONE;
  bytes = 0;
  readonly #arena: PageArena;
  readonly #lender: PageLender;
  readonly #owner: PagesOwner;
  /** Where the next byte goes: a page, and how many bytes that has. */
  #page = NONE;
  #usedBytes = 0;
  #last = NONE;
  #pageCount = 0;

  constructor(arena: PageArena, lender: PageLender, owner: PagesOwner) {
    this.#arena = arena;
    this.#lender = lender;
    this.#owner = owner;
  }

  push(piece: Uint8Array): boolean {
    const { byteLength } = piece;
    if (byteLength === 0) return true;
    const missing = pagesFor(this.bytes + byteLength) - this.#pageCount;
    if (missing > 0 && !this.#extend(missing)) return false;
    this.#arena.write(this.#page, this.#usedBytes, piece);
    this.bytes += byteLength;
    this.#usedBytes += byteLength;
    while (this.#usedBytes > PAGE_BYTES) {
      this.#page = this.#arena.words[this.#page]!;
      this.#usedBytes -= PAGE_BYTES;
    }
    return true;
  }

  #extend(count: number): boolean {
    if (!this.#owner.mayLend(count)) return false;
    let added = count;
    if (this.first === NONE) {
      this.first = this.#lender.lend(1);
      this.#page = this.first;
      this.#last = this.first;
      added--;
    }
    if (added > 0) this.#last = this.#lender.extend(this.#last, added);
    this.#pageCount += count;
    this.#owner.onPages(this);
    return true;
  }

  moveTo(target: Buffer): void {
    if (this.first !== NONE) this.#arena.read(this.first, 0, target.subarray(0, this.bytes));
    this.discard();
  }

  discard(): void {
    if (this.first === NONE) return;
    this.#lender.takeBack(this.first);
    this.handOver();
  }

  /** Its pages are a slot's from now on. */
  handOver(): void {
    this.first = NONE;
    this.#owner.onPages(this);
  }
}
