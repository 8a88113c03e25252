import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Parking } from "../../../src/shared/memory/parking.js";

/** Three workers, whose words lie among others. */
function places(): { readonly parking: Parking; readonly words: Int32Array } {
  const memory = new SharedArrayBuffer(1024);
  return { parking: new Parking(memory, 3, { firstWord: 16, strideWords: 32 }), words: new Int32Array(memory) };
}

const test = suite("parking");

test("a worker is parked from its announcement until somebody wakes it or it leaves", () => {
  const { parking } = places();
  assert.not(parking.isParked(1));
  assert.ok(parking.announce(1));
  assert.ok(parking.isParked(1));
  assert.not(parking.isParked(0) || parking.isParked(2), "only that one");
  parking.leave(1);
  assert.not(parking.isParked(1));
  parking.announce(1);
  assert.is(parking.wake(1), 1);
  assert.not(parking.isParked(1));
  assert.is(parking.wake(1), 0, "nobody is left");
});

test("as many are woken as are asked for and sleep, from the first on", () => {
  const { parking } = places();
  for (const worker of [0, 1, 2]) parking.announce(worker);
  assert.is(parking.wake(0), 0);
  assert.is(parking.wake(2), 2);
  assert.equal(
    [0, 1, 2].map((worker) => parking.isParked(worker)),
    [false, false, true],
  );
  assert.is(parking.wake(3), 1);
});

test("only one that sleeps can be retired, once; it stays retired whatever the worker does, until a successor enters", () => {
  const { parking } = places();
  assert.not(parking.retire(1));
  parking.announce(1);
  assert.ok(parking.retire(1));
  assert.not(parking.retire(1));
  parking.leave(1);
  assert.not(parking.announce(1));
  assert.is(parking.wake(3), 0, "it is awake already");
  parking.enter(1);
  assert.ok(parking.announce(1));
});

test("a worker that was woken before it waits does not wait", async () => {
  const { parking } = places();
  parking.announce(1);
  parking.wake(1);
  assert.ok(parking.wait(1, 60_000));
  assert.is(parking.waitAsync(1), undefined);
  parking.announce(1);
  assert.not(parking.wait(1, 1), "nobody comes");
  assert.ok(parking.isParked(1), "and it is parked still");
});

test("a wake-up and a retirement end an asynchronous wait, all that the worker has left behind included", async () => {
  for (const end of [(parking: Parking) => parking.wake(1), (parking: Parking) => parking.retire(1)]) {
    const { parking } = places();
    parking.announce(1);
    const waits = [parking.waitAsync(1)!, parking.waitAsync(1)!];
    // The promises keep no loop alive.
    const alive = setInterval(() => {}, 60_000);
    end(parking);
    assert.equal(await Promise.all(waits), ["ok", "ok"]);
    clearInterval(alive);
  }
});

test("task and looks are each worker's own; a successor has no task, and goes on counting", () => {
  const { parking, words } = places();
  parking.note(1, 7);
  parking.noteLook(1);
  parking.noteLook(1);
  assert.equal(
    [0, 1, 2].map((worker) => [parking.taskOf(worker), parking.looksOf(worker)]),
    [
      [0, 0],
      [7, 2],
      [0, 0],
    ],
  );
  assert.is(words.filter((word) => word !== 0).length, 2, "and nothing else is written");
  parking.enter(1);
  assert.equal([parking.taskOf(1), parking.looksOf(1)], [0, 2]);
});

test.run();
