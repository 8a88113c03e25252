import { Worker } from "node:worker_threads";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { seededRandom } from "../../../src/harness/statistics/random.js";
import { RecordRing, recordRingBytes } from "../../../src/shared/memory/record-ring.js";

const CAPACITY = 1024;

/** Both sides of a new ring in one thread. */
function pair(startAt = 0): { producer: RecordRing; consumer: RecordRing } {
  const memory = new SharedArrayBuffer(recordRingBytes(CAPACITY));
  // Head and tail count bytes: start them near the end of their 32 bits to see them wrap.
  new Int32Array(memory)[0] = startAt;
  new Int32Array(memory)[16] = startAt;
  return { producer: new RecordRing(memory, CAPACITY), consumer: new RecordRing(memory, CAPACITY) };
}

function write(ring: RecordRing, bytes: Uint8Array): boolean {
  const offset = ring.reserve(bytes.length);
  if (offset === -1) return false;
  ring.bytes.set(bytes, offset);
  ring.commit();
  return true;
}

const test = suite("record ring");

test("a new ring is empty and a record is invisible before its commit", () => {
  const { producer, consumer } = pair();
  assert.is(consumer.peek(), -1);
  producer.reserve(8);
  assert.is(consumer.peek(), -1);
  producer.commit();
  assert.is.not(consumer.peek(), -1);
});

test("a full ring refuses a record and takes it once the consumer has released one", () => {
  const { producer, consumer } = pair();
  let written = 0;
  while (write(producer, new Uint8Array(120).fill(written))) written++;
  assert.is(written, CAPACITY / 128);
  consumer.peek();
  consumer.release();
  assert.ok(write(producer, new Uint8Array(120)));
  assert.not.ok(write(producer, new Uint8Array(120)));
});

test("a capacity that is no power of two is refused with the allowed range", () => {
  assert.throws(() => recordRingBytes(1000), /power of two from 1024/);
  assert.throws(() => recordRingBytes(512), /power of two from 1024/);
});

for (const startAt of [0, -512, 0x7fffff00 | 0, -8]) {
  test(`records of any length come out whole and in order when the counters start at ${startAt}`, () => {
    const random = seededRandom(42);
    const { producer, consumer } = pair(startAt);
    const expected: Uint8Array[] = [];
    let sequence = 0;
    for (let step = 0; step < 20_000; step++) {
      if (random() < 0.5) {
        const bytes = new Uint8Array(Math.floor(random() * producer.maxRecordBytes)).fill(sequence++ % 251);
        if (write(producer, bytes)) expected.push(bytes);
      } else {
        const offset = consumer.peek();
        const bytes = expected.shift();
        assert.is(offset === -1, bytes === undefined, `seed 42, step ${step}`);
        if (bytes === undefined) continue;
        assert.equal(
          new Uint8Array(consumer.bytes.subarray(offset, offset + bytes.length)),
          bytes,
          `seed 42, step ${step}`,
        );
        consumer.release();
      }
    }
    assert.ok(sequence > 5000);
  });
}

test("a producer in another thread loses and tears no record", async () => {
  const memory = new SharedArrayBuffer(recordRingBytes(CAPACITY));
  const ring = new RecordRing(memory, CAPACITY);
  const records = 100_000;
  const source = `
    const { workerData } = require("node:worker_threads");
    import(workerData.module).then(({ RecordRing }) => {
      const ring = new RecordRing(workerData.memory, ${CAPACITY});
      for (let n = 0; n < ${records}; ) {
        const offset = ring.reserve(8 + (n % 200));
        if (offset === -1) continue;
        ring.words[offset >> 2] = n;
        ring.words[(offset >> 2) + 1] = ~n;
        ring.bytes.fill(n & 0xff, offset + 8, offset + 8 + (n % 200));
        ring.commit();
        n++;
      }
    });`;
  const module = new URL("../../../src/shared/memory/record-ring.js", import.meta.url).href;
  const worker = new Worker(source, { eval: true, workerData: { memory, module } });
  try {
    await new Promise((resolve) => worker.once("online", resolve));
    let torn = 0;
    for (let n = 0; n < records; ) {
      const offset = ring.peek();
      if (offset === -1) continue;
      const whole = ring.words[offset >> 2] === n && ring.words[(offset >> 2) + 1] === ~n;
      const last = n % 200 === 0 || ring.bytes[offset + 7 + (n % 200)] === (n & 0xff);
      if (!whole || !last) torn++;
      ring.release();
      n++;
    }
    assert.is(torn, 0);
    assert.is(ring.peek(), -1);
  } finally {
    await worker.terminate();
  }
});

test.run();
