import { suite } from "uvu";
import * as assert from "uvu/assert";
import { KnownHead } from "../../../../src/harness/load/parser/known-head.js";

const test = suite("known head");

const head = "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 5\r\n\r\n";

/** The text at a place in a larger buffer, whose bytes begin at `offset` of their memory. */
function placed(text: string, start: number, offset: number): Buffer {
  const bytes = Buffer.from(new ArrayBuffer(256 + offset), offset, 256).fill("x");
  bytes.write(text, start, "latin1");
  return bytes;
}

for (const start of [0, 4, 7]) {
  for (const offset of [0, 3]) {
    for (const length of [head.length, head.length - 1, head.length - 2, head.length - 3]) {
      const known = head.slice(0, length);
      test(`${length} bytes at ${start}, in a buffer at ${offset}: reported from those that differ in any one of them`, () => {
        const memory = new KnownHead();
        const bytes = placed(known, start, offset);
        assert.is(memory.matches(bytes, start, 256), false, "nothing is known yet");
        memory.learn(bytes, start, start + known.length);
        assert.is(memory.length, known.length);
        // Read into the same buffer, over and over, as the generator does.
        assert.is(memory.matches(bytes, start, 256), true);
        assert.is(memory.matches(bytes, start, start + known.length), true);
        assert.is(memory.matches(bytes, start, start + known.length - 1), false, "a byte is missing");
        for (let i = start; i < start + known.length; i++) {
          bytes[i]! ^= 1;
          assert.is(memory.matches(bytes, start, 256), false, `byte ${i}`);
          bytes[i]! ^= 1;
        }
        assert.is(memory.matches(placed(known, start, offset), start, 256), true, "in another buffer");
        memory.forget();
        assert.is(memory.matches(bytes, start, 256), false);
      });
    }
  }
}

test("a head that is too long to be kept replaces the one before", () => {
  const memory = new KnownHead();
  memory.learn(Buffer.from(head), 0, head.length);
  memory.learn(Buffer.alloc(2000, "y"), 0, 2000);
  assert.equal([memory.length, memory.matches(Buffer.alloc(2000, "y"), 0, 2000)], [0, false]);
});

test.run();
