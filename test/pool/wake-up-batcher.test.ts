import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Modules } from "../support/stepped/modules.js";
import { VirtualTime } from "../support/virtual-time.js";

type Module = typeof import("../../src/pool/wake-up-batcher.js");

function newBatcher() {
  const time = new VirtualTime();
  const { WakeUpBatcher } = new Modules({ globals: time.globals }).load<Module>("pool/wake-up-batcher.js");
  const woken: number[] = [];
  const batcher = new WakeUpBatcher({ wake: (count: number) => woken.push(count) } as never);
  return { batcher, time, woken };
}

const test = suite("wake-ups for requests");

test("a request alone wakes one worker, one tick after it was seen to be alone", () => {
  const { batcher, time, woken } = newBatcher();
  assert.ok(batcher.isQuiet);
  batcher.add();
  assert.not(batcher.isQuiet);
  assert.is(time.immediates, 1);
  time.tick();
  assert.equal(woken, []);
  time.tick();
  assert.equal(woken, [1]);
  assert.ok(batcher.isQuiet);
  assert.is(time.immediates, 0);
});

test("as long as ticks bring more it waits, for two ticks and no longer, and wakes for all of them", () => {
  for (let round = 0; round < 2; round++) {
    const { batcher, time, woken } = newBatcher();
    for (let batch = 0; batch < 2; batch++) {
      batcher.add();
      batcher.add();
      time.tick();
      batcher.add();
      time.tick();
      batcher.add();
      assert.is(woken.length, batch);
      time.tick();
      assert.is(woken[batch], 4);
      assert.is(time.immediates, 0);
    }
  }
});

test.run();
