import { suite } from "uvu";
import * as assert from "uvu/assert";
import { seededRandom } from "../../../src/harness/statistics/random.js";
import {
  NONE,
  PAGE_BYTES,
  PageArena,
  PageLender,
  pageArenaBytes,
  pagesFor,
} from "../../../src/shared/memory/page-arena.js";

const test = suite("page arena");

function setUp(pages: number) {
  const memory = new SharedArrayBuffer(pageArenaBytes(pages));
  const main = new PageArena(memory, pages);
  return { lender: new PageLender(main), main, reader: new PageArena(memory, pages) };
}

function chain(arena: PageArena, first: number): number[] {
  const pages = [first];
  for (let next = arena.words[first]!; next !== pages.at(-1); next = arena.words[next]!) pages.push(next);
  return pages;
}

test("has from 1 to 65536 pages", () => {
  for (const pages of [0, -1, 1.5, 2 ** 16 + 1]) assert.throws(() => pageArenaBytes(pages), RangeError);
  assert.ok(pageArenaBytes(1) > PAGE_BYTES);
  assert.ok(pageArenaBytes(2 ** 16) < 2 ** 31, "offsets fit 32 bits");
});

test("lends each page once, refuses what is more than is free, and takes nothing then", () => {
  const { lender, main } = setUp(8);
  const [first, second] = [lender.lend(3), lender.lend(5)];
  assert.equal([...chain(main, first), ...chain(main, second)].sort(), [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.is(lender.lend(1), NONE);
  lender.takeBack(first);
  assert.is(lender.lend(4), NONE);
  assert.is(lender.freePages, 3);
});

test("the page that came back last is lent first", () => {
  const { lender } = setUp(8);
  const [first, second] = [lender.lend(1), lender.lend(1)];
  lender.takeBack(second);
  lender.takeBack(first);
  assert.is(lender.lend(1), first);
});

test("what is written at any place of any chain is read there, by another view (seeded)", () => {
  const { lender, main, reader } = setUp(40);
  const random = seededRandom(3);
  const lent: { readonly first: number; readonly at: number; readonly bytes: Uint8Array }[] = [];
  for (let i = 0; i < 1500; i++) {
    const at = Math.floor(random() * 2 * PAGE_BYTES);
    const bytes = Uint8Array.from({ length: Math.floor(random() ** 3 * 5 * PAGE_BYTES) }, () => i);
    const first = lender.lend(Math.max(1, pagesFor(at + bytes.byteLength)));
    if (first !== NONE) {
      main.write(first, at, bytes);
      lent.push({ first, at, bytes });
    }
    if (first === NONE || random() < 0.4) {
      const [taken] = lent.splice(Math.floor(random() * lent.length), 1);
      if (taken === undefined) continue;
      const target = Buffer.alloc(taken.bytes.byteLength);
      reader.read(taken.first, taken.at, target);
      assert.ok(target.equals(taken.bytes));
      lender.takeBack(taken.first);
    }
  }
  for (const { first } of lent) lender.takeBack(first);
  assert.is(lender.freePages, 40);
});

test("who reads on in a chain that is no longer its own stays inside the pages and ends", () => {
  const { lender, main, reader } = setUp(6);
  const random = seededRandom(5);
  for (let i = 0; i < 500; i++) {
    const chains: number[] = [];
    for (let first = lender.lend(1 + Math.floor(random() * 3)); first !== NONE; first = lender.lend(1))
      chains.push(first);
    const target = Buffer.alloc(20 * PAGE_BYTES);
    // More than any chain has, from a page in the middle of one.
    reader.read(Math.floor(random() * 6), Math.floor(random() * 4 * PAGE_BYTES), target);
    for (const first of chains.sort(() => random() - 0.5)) lender.takeBack(first);
  }
  assert.is(lender.freePages, main.pages);
});

test.run();
