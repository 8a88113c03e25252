import { suite } from "uvu";
import * as assert from "uvu/assert";
import { HeaderBlocks } from "../../../src/shared/handlers/result-headers.js";

const test = suite("header blocks by content");

test("from the second time on the same fields in the same order are the same block, and no others are", () => {
  const blocks = new HeaderBlocks();
  assert.equal(blocks.of(["A", "1", "B", "2"]).fields, ["A", "1", "B", "2"]);
  const block = blocks.of(["A", "1", "B", "2"]);
  // Made anew, so that nothing but its content is equal.
  assert.is(blocks.of(["A", String(1), "B", String(2)]), block);
  for (const other of [[], ["A", "1"], ["B", "2", "A", "1"], ["A", "1", "B", "2", "C", ""], ["A", "12", "B", "2"]]) {
    const found = blocks.of(other);
    assert.is.not(found, block);
    assert.equal(found.fields, other);
  }
});

test("a value cannot be taken for other fields, whatever it contains", () => {
  const blocks = new HeaderBlocks();
  for (let i = 0; i < 3; i++) blocks.of(["A", "1", "B", "2"]);
  for (const separator of ["\n", "\r\n", "\0", ": ", "\r\nB: "]) {
    if (separator === ": ") assert.equal(blocks.of(["A", `1${separator}B`]).fields, ["A", "1: B"]);
    else assert.throws(() => blocks.of(["A", `1${separator}2`]), /characters that no value may have/);
  }
  assert.throws(() => blocks.of(["A", "\u0141"]), /characters/, "what would be Latin-1 if its upper byte were lost");
});

test("what is used again keeps its block while ever new ones go by, and those are not kept", () => {
  const blocks = new HeaderBlocks();
  const twice = (fields: readonly string[]) => [blocks.of(fields), blocks.of(fields)].at(-1);
  const block = twice(["Content-Type", "text/plain"]);
  const numbered = (i: number): readonly string[] => ["ETag", `"${i}"`, "X-Long", "x".repeat(1000)];
  const first = twice(numbered(0));
  assert.is(blocks.of(numbered(0)), first);
  for (let i = 1; i < 20_000; i++) {
    twice(numbered(i));
    if (i % 100 === 0) assert.is(blocks.of(["Content-Type", "text/plain"]), block);
  }
  assert.is.not(blocks.of(numbered(0)), first, "it was forgotten");
});

test.run();
