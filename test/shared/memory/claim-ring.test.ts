import { Worker } from "node:worker_threads";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { seededRandom } from "../../../src/harness/statistics/random.js";
import { ClaimRing, claimRingBytes } from "../../../src/shared/memory/claim-ring.js";

const shape = { slots: 8, payloadBytes: 64 };

/** A producer's and a consumer's view of a new ring. */
function views(
  startAt = 0,
  ringShape = shape,
): { memory: SharedArrayBuffer; producer: ClaimRing; consumer: ClaimRing } {
  const memory = new SharedArrayBuffer(claimRingBytes(ringShape));
  new Int32Array(memory)[0] = startAt;
  new Int32Array(memory)[16] = startAt;
  return { memory, producer: new ClaimRing(memory, ringShape), consumer: new ClaimRing(memory, ringShape) };
}

function push(ring: ClaimRing, value: number): number {
  const slot = ring.reserve();
  if (slot === -1) return -1;
  ring.words[ring.payloadOffset(slot) >> 2] = value;
  ring.publish(slot);
  return slot;
}

function itemIn(ring: ClaimRing, slot: number): number {
  return ring.words[ring.payloadOffset(slot) >> 2]!;
}

const test = suite("claim ring");

test("a new ring has nothing to claim", () => {
  const { consumer } = views();
  assert.ok(consumer.isEmpty);
  assert.is(consumer.claim(0), -1);
});

test("a slot stays its owner's until the producer releases it", () => {
  const { producer, consumer } = views();
  push(producer, 7);
  const slot = consumer.claim(3);
  assert.is(itemIn(consumer, slot), 7);
  assert.equal(producer.heldBy(3), [slot]);
  assert.equal(producer.heldBy(2), []);
  producer.release(slot);
  assert.equal(producer.heldBy(3), []);
});

test("a full ring reserves nothing, whether its items are queued or in service", () => {
  const { producer, consumer } = views();
  for (let i = 0; i < shape.slots; i++) assert.is.not(push(producer, i), -1);
  assert.is(push(producer, 99), -1);
  const slot = consumer.claim(0);
  assert.is(push(producer, 99), -1, "in service is not free");
  producer.release(slot);
  assert.is.not(push(producer, 99), -1);
});

test("one slow request does not stop the ring: its slot is skipped, lap after lap", () => {
  const { producer, consumer } = views();
  push(producer, -1);
  const slow = consumer.claim(0);
  for (let n = 0; n < 10 * shape.slots; n++) {
    assert.is.not(push(producer, n), -1);
    const slot = consumer.claim(1);
    assert.is(itemIn(consumer, slot), n);
    assert.is.not(slot, slow);
    producer.release(slot);
  }
  assert.equal(producer.heldBy(0), [slow]);
});

test("a revoked item is never claimed, and a claimed one is not revoked", () => {
  const { producer, consumer } = views();
  const first = push(producer, 1);
  push(producer, 2);
  assert.ok(producer.revoke(first));
  const slot = consumer.claim(0);
  assert.is(itemIn(consumer, slot), 2);
  assert.not.ok(producer.revoke(slot));
  assert.is(consumer.claim(0), -1);
});

test("a number of slots that is no power of two is refused", () => {
  assert.throws(() => claimRingBytes({ slots: 6, payloadBytes: 8 }), /power of two/);
  assert.throws(() => claimRingBytes({ slots: 1, payloadBytes: 8 }), /power of two/);
});

for (const startAt of [0, 0x7ffffff0 | 0, -5]) {
  test(`items come out once and in order when the counters start at ${startAt}`, () => {
    const random = seededRandom(7);
    const { producer, consumer } = views(startAt);
    const held: number[] = [];
    let pushed = 0;
    let claimed = 0;
    for (let step = 0; step < 50_000; step++) {
      const choice = random();
      if (choice < 0.4) {
        if (push(producer, pushed) !== -1) pushed++;
        else assert.ok(pushed - claimed + held.length > 0, `seed 7, step ${step}: full although empty`);
      } else if (choice < 0.8) {
        const slot = consumer.claim(0);
        assert.is(slot === -1, claimed === pushed, `seed 7, step ${step}`);
        if (slot === -1) continue;
        assert.is(itemIn(consumer, slot), claimed++, `seed 7, step ${step}`);
        held.push(slot);
      } else if (held.length > 0) {
        producer.release(held.splice(Math.floor(random() * held.length), 1)[0]!);
      }
    }
    assert.ok(claimed > 5000);
  });
}

test("three consumers in their own threads claim every item exactly once", async () => {
  const stressShape = { slots: 64, payloadBytes: 64 };
  const { memory, producer } = views(-1000, stressShape);
  const items = 200_000;
  const workers = 3;
  // Claimed slots come back through one word each: 0 nothing, else 1 + slot; the producer releases them.
  const back = new SharedArrayBuffer(workers * 64);
  const backWords = new Int32Array(back);
  const seen = new SharedArrayBuffer(items);
  const source = `
    const { workerData } = require("node:worker_threads");
    import(workerData.module).then(({ ClaimRing }) => {
      const ring = new ClaimRing(workerData.memory, workerData.shape);
      const back = new Int32Array(workerData.back);
      const seen = new Uint8Array(workerData.seen);
      for (;;) {
        const slot = ring.claim(workerData.id);
        if (slot === -1) continue;
        const value = ring.words[ring.payloadOffset(slot) >> 2];
        Atomics.add(seen, value, 1);
        const word = workerData.id * 16;
        while (Atomics.compareExchange(back, word, 0, 1 + slot) !== 0);
      }
    });`;
  const module = new URL("../../../src/shared/memory/claim-ring.js", import.meta.url).href;
  const threads = Array.from(
    { length: workers },
    (_, id) => new Worker(source, { eval: true, workerData: { memory, back, seen, shape: stressShape, module, id } }),
  );
  try {
    await Promise.all(threads.map((thread) => new Promise((resolve) => thread.once("online", resolve))));
    let pushed = 0;
    let released = 0;
    while (released < items) {
      if (pushed < items && push(producer, pushed) !== -1) pushed++;
      for (let id = 0; id < workers; id++) {
        const slot = Atomics.exchange(backWords, id * 16, 0) - 1;
        if (slot === -1) continue;
        producer.release(slot);
        released++;
      }
    }
    assert.ok(new Uint8Array(seen).every((count) => count === 1));
    assert.ok(producer.isEmpty);
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
});

test("a slot has no owner before it is claimed, and a ring whose slots are all held has none to reserve", () => {
  const shape = { slots: 2, payloadBytes: 8 };
  const ring = new ClaimRing(new SharedArrayBuffer(claimRingBytes(shape)), shape);
  assert.equal([ring.ownerOf(0), ring.ownerOf(1)], [-1, -1]);
  for (let n = 0; n < 2; n++) ring.publish(ring.reserve());
  assert.equal([ring.ownerOf(0), ring.ownerOf(1), ring.reserve()], [-1, -1, -1]);
  assert.equal([ring.claim(5), ring.claim(7)], [0, 1]);
  assert.equal([ring.ownerOf(0), ring.ownerOf(1)], [5, 7]);
  // Nothing waits any more, and still there is no room.
  assert.equal([ring.reserve(), ring.claim(5)], [-1, -1]);
  ring.release(1);
  assert.equal([ring.reserve(), ring.ownerOf(1)], [1, -1]);
});

test.run();
