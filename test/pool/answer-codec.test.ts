import { suite } from "uvu";
import * as assert from "uvu/assert";
import { seededRandom } from "../../src/harness/statistics/random.js";
import { AnswerReader, AnswerWriter } from "../../src/pool/answer-codec.js";
import { IncomingStreams } from "../../src/pool/incoming-streams.js";
import { HeaderBlock } from "../../src/shared/handlers/handler.js";
import { RecordRing, recordRingBytes } from "../../src/shared/memory/record-ring.js";

const test = suite("pool: answers in shared memory");
const CAPACITY_BYTES = 2 ** 16;
const TAG = { slot: 1, generation: 1, claimedMs: 0, doneMs: 0 };
/** Of an answer without fields and body: what precedes its length included. */
const EMPTY_RECORD_BYTES = 48;

function ends() {
  const memory = new SharedArrayBuffer(recordRingBytes(CAPACITY_BYTES));
  const ring = new RecordRing(memory, CAPACITY_BYTES);
  const writer = new AnswerWriter(ring);
  const streams = new IncomingStreams(() => {});
  const reader = new AnswerReader(new RecordRing(memory, CAPACITY_BYTES), { streams });
  const usedBytes = (): number => Atomics.load(ring.words, 0) - Atomics.load(ring.words, 16);
  /** Sends one answer: the block that main makes of its fields, and the bytes that it took in the ring. */
  const send = (headers: HeaderBlock): { readonly headers: HeaderBlock; readonly bytes: number } => {
    assert.ok(writer.write(TAG, { status: 200, headers, body: "" }));
    const bytes = usedBytes();
    let received: HeaderBlock | undefined;
    assert.ok(reader.read((_, response) => (received = response.headers)));
    return { headers: received!, bytes };
  };
  return { send, writer, reader };
}

test("fields cross twice; from the third time on a number stands for them, and main has one block", () => {
  const { send } = ends();
  const block = new HeaderBlock({ "Content-Type": "text/plain", "X-Empty": "" });
  const [first, second, third, fourth] = [send(block), send(block), send(block), send(block)];
  for (const { headers } of [first, second, third, fourth]) assert.equal(headers.fields, block.fields);
  assert.ok(first.bytes > EMPTY_RECORD_BYTES && second.bytes > EMPTY_RECORD_BYTES);
  assert.equal([third.bytes, fourth.bytes], [EMPTY_RECORD_BYTES, EMPTY_RECORD_BYTES]);
  assert.is(third.headers, second.headers);
  assert.is(fourth.headers, second.headers);
});

test("a field of several lines stays several lines", () => {
  const { send } = ends();
  const block = new HeaderBlock(["Set-Cookie", "a=1", "Set-Cookie", "b=2"]);
  for (let i = 0; i < 4; i++) assert.equal(send(block).headers.fields, block.fields);
});

test("blocks that are sent once never take a number from one that comes again", () => {
  const { send } = ends();
  const shared = new HeaderBlock({ "X-Long": "x".repeat(200) });
  assert.ok(send(shared).bytes > 200);
  send(shared);
  for (let i = 0; i < 5000; i++) {
    send(new HeaderBlock({ ETag: `"${i}"` }));
    assert.ok(send(shared).bytes < 200, "its number alone");
  }
});

test("more blocks than there are numbers, again and again, in any order: each answer has its own fields", () => {
  const { send } = ends();
  const random = seededRandom(7);
  const blocks = Array.from({ length: 1500 }, (_, i) => new HeaderBlock({ "X-Number": String(i) }));
  for (let i = 0; i < 30_000; i++) {
    // Some are frequent, so that numbers are given, used, and given anew.
    const block = blocks[Math.floor(random() ** 3 * blocks.length)]!;
    assert.equal(send(block).headers.fields, block.fields);
  }
});

test("an answer that found no room was not sent: its block gets its number with the fields later", () => {
  const { send, writer, reader } = ends();
  const block = new HeaderBlock({ "Content-Type": "text/plain" });
  send(block);
  const filler = { status: 200, headers: new HeaderBlock({}), body: "x".repeat(20_000) };
  while (writer.write(TAG, filler)) {}
  assert.not(writer.write(TAG, { ...filler, headers: block }));
  while (reader.read(() => {})) {}
  for (let i = 0; i < 3; i++) assert.equal(send(block).headers.fields, block.fields);
});

test.run();
