import { once } from "node:events";
import { setImmediate as generation } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { seededRandom } from "../../../src/harness/statistics/random.js";
import { ClaimRing, claimRingBytes } from "../../../src/shared/memory/claim-ring.js";
import { canary, EMPTY, REPORT_WORDS, RETURNED, type StressMemory, TORN } from "./fixtures/stress-consumer.js";

const CONSUMERS = 3;
/** `LOOPOOL_TEST_CLAIMS=40000` for the long form. */
const ITEMS = Number(process.env["LOOPOOL_TEST_CLAIMS"] ?? 10_000);
const KILLS = Math.round(ITEMS / 1300);
/** Few slots, so that the ring is full and empty all the time. */
const shape = { slots: 4, payloadBytes: 64 };

const test = suite("claim ring under stress");

for (const seed of [1, 2]) {
  test(`consumers killed anywhere: each item has one outcome and whole words (seed ${seed})`, async () => {
    const memory: StressMemory = {
      ring: new SharedArrayBuffer(claimRingBytes(shape)),
      shape,
      reports: new SharedArrayBuffer(CONSUMERS * REPORT_WORDS * 4),
    };
    // The counters wrap on the way.
    new Int32Array(memory.ring)[0] = -1000;
    new Int32Array(memory.ring)[16] = -1000;
    const ring = new ClaimRing(memory.ring, shape);
    const reports = new Int32Array(memory.reports);
    const reported = (word: number): number =>
      Array.from({ length: CONSUMERS }, (_, id) => reports[id * REPORT_WORDS + word]!).reduce((a, b) => a + b);
    const random = seededRandom(seed);
    const start = (id: number): Worker =>
      new Worker(new URL("./fixtures/stress-consumer.js", import.meta.url), {
        workerData: { memory, id, seed: Math.floor(random() * 2 ** 32) },
      });

    const itemIn = new Map<number, number>();
    const outcomes = new Uint8Array(ITEMS);
    let pushed = 0;
    let ended = 0;
    let recovered = 0;
    let full = 0;
    const settle = (slot: number): void => {
      outcomes[itemIn.get(slot)!]!++;
      itemIn.delete(slot);
      ended++;
      ring.release(slot);
    };
    const takeBack = (id: number): void => {
      const slot = Atomics.exchange(reports, id * REPORT_WORDS + RETURNED, 0) - 1;
      if (slot !== -1) settle(slot);
    };
    const push = (): void => {
      const slot = ring.reserve();
      if (slot === -1) {
        full++;
        return;
      }
      for (let word = 0; word < shape.payloadBytes / 4; word++) {
        ring.words[(ring.payloadOffset(slot) >> 2) + word] = canary(pushed, word);
      }
      itemIn.set(slot, pushed++);
      ring.publish(slot);
    };

    const threads = Array.from({ length: CONSUMERS }, (_, id) => start(id));
    const replace = async (id: number): Promise<void> => {
      await threads[id]!.terminate();
      takeBack(id);
      for (const slot of ring.heldBy(id)) {
        settle(slot);
        recovered++;
      }
      threads[id] = start(id);
      await once(threads[id]!, "online");
    };
    try {
      await Promise.all(threads.map((thread) => once(thread, "online")));
      let replacing: Promise<void> | undefined;
      let kills = 0;
      while (ended < ITEMS) {
        for (let i = 0; i < 500; i++) {
          if (pushed < ITEMS) push();
          for (let id = 0; id < CONSUMERS; id++) takeBack(id);
        }
        if (kills < KILLS && replacing === undefined && pushed > (kills + random()) * (ITEMS / (KILLS + 1))) {
          kills++;
          replacing = replace(Math.floor(random() * CONSUMERS)).finally(() => {
            replacing = undefined;
          });
        }
        await generation();
      }
      await replacing;
      assert.ok(outcomes.every((count) => count === 1));
      assert.is(reported(TORN), 0);
      assert.ok(ring.isEmpty);
      assert.is(itemIn.size, 0);
      // A slow machine may be done before the last ones are due.
      assert.ok(kills > KILLS / 2, `${kills} kills`);
      assert.ok(recovered > 0 && full > 0 && reported(EMPTY) > 0, `${recovered} recovered, ${full} times full`);
    } finally {
      await Promise.all(threads.map((thread) => thread.terminate()));
    }
  });
}

test.run();
