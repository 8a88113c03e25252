import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Parking } from "../../../src/shared/memory/parking.js";
import { SLEEPER_BYTES, Sleeper } from "../../../src/shared/memory/sleeper.js";
import type { Sleep } from "./fixtures/sleeping-thread.js";

/** A thread that is about to sleep, or sleeps; `up` is what it posts when it is awake again. */
async function asleep(sleep: Sleep): Promise<{ readonly up: Promise<unknown> }> {
  const thread = new Worker(new URL("./fixtures/sleeping-thread.js", import.meta.url), { workerData: sleep });
  const failed = once(thread, "error").then(([error]) => Promise.reject(error));
  failed.catch(() => {});
  await Promise.race([once(thread, "message"), failed]);
  return { up: Promise.race([once(thread, "message").then(([message]) => message), failed]) };
}

/** Bytes that a view must not touch keep this. */
const CANARY = 0x5a5a5a5a;

const sleepers = suite("sleeper");

for (const [isLight, wakeUp, how] of [
  [true, (sleeper: Sleeper) => sleeper.wake(), "wake"],
  [true, (sleeper: Sleeper) => sleeper.wakeUrgently(), "urgently"],
  [false, (sleeper: Sleeper) => sleeper.wakeUrgently(), "urgently"],
] as const) {
  sleepers(`a thread in a ${isLight ? "light" : "deep"} sleep is woken (${how}), and may sleep again`, async () => {
    const memory = new SharedArrayBuffer(SLEEPER_BYTES);
    const { up } = await asleep({ memory, of: { kind: "sleeper", isLight } });
    wakeUp(new Sleeper(memory));
    assert.is(await up, true);
  });
}

sleepers("one that is sent home wakes, and is told so when it would sleep again", async () => {
  const memory = new SharedArrayBuffer(SLEEPER_BYTES);
  const { up } = await asleep({ memory, of: { kind: "sleeper", isLight: false } });
  new Sleeper(memory).end();
  assert.is(await up, false);
});

sleepers("a light wake-up leaves a deep sleep alone, and one that is awake does not oversleep", () => {
  const memory = new SharedArrayBuffer(SLEEPER_BYTES + 4);
  const word = new Int32Array(memory);
  word.fill(CANARY, 1);
  const [sleeper, waker] = [new Sleeper(memory), new Sleeper(memory)];
  waker.wake();
  waker.wakeUrgently();
  assert.is(word[0], 0, "nobody sleeps");
  assert.ok(sleeper.announce(false));
  const deep = word[0];
  waker.wake();
  assert.is(word[0], deep);
  waker.wakeUrgently();
  assert.is(word[0], 0);
  // What came between the announcement and the wait: it does not wait.
  sleeper.wait(600_000);
  sleeper.leave();
  assert.ok(sleeper.announce(true));
  assert.is.not(word[0], deep);
  sleeper.leave();
  assert.is(word[0], 0, "it took its announcement back");
  waker.end();
  sleeper.leave();
  waker.wakeUrgently();
  assert.is(sleeper.announce(true), false);
  assert.is(sleeper.announce(false), false, "for good");
  assert.ok(word.subarray(1).every((other) => other === CANARY));
});

sleepers("a sleep that nobody ends is over with its time", () => {
  const sleeper = new Sleeper(new SharedArrayBuffer(SLEEPER_BYTES));
  sleeper.announce(true);
  const startMs = performance.now();
  sleeper.wait(20);
  assert.ok(performance.now() - startMs >= 19);
});

sleepers.run();

const LAYOUT = { firstWord: 16, strideWords: 16 };
const WORKERS = 3;
const newParking = () => {
  const memory = new SharedArrayBuffer((LAYOUT.firstWord + WORKERS * LAYOUT.strideWords) * 4);
  return { memory, parking: new Parking(memory, WORKERS, LAYOUT), words: new Int32Array(memory) };
};
/** Words of worker `n` that differ from 0, by their number from its place. */
const written = (words: Int32Array, n: number): readonly number[] =>
  Array.from({ length: LAYOUT.strideWords }, (_, i) => i).filter(
    (i) => words[LAYOUT.firstWord + n * LAYOUT.strideWords + i] !== 0,
  );

const parkings = suite("parking");

parkings("workers that are parked are woken, as many as wanted, and each knows that it was", async () => {
  const { memory, parking } = newParking();
  const of = (worker: number) => ({ kind: "parked", worker, workers: WORKERS, layout: LAYOUT }) as const;
  const threads = await Promise.all([0, 1, 2].map((worker) => asleep({ memory, of: of(worker) })));
  assert.equal(
    [0, 1, 2].map((worker) => parking.isParked(worker)),
    [true, true, true],
  );
  assert.is(parking.wake(0), 0);
  assert.is(parking.wake(2), 2);
  assert.equal(await Promise.all([threads[0]!.up, threads[1]!.up]), [true, true]);
  assert.equal(
    [0, 1, 2].map((worker) => parking.isParked(worker)),
    [false, false, true],
  );
  assert.is(parking.wake(5), 1, "the others are awake");
  assert.is(await threads[2]!.up, true);
});

parkings("one that is retired wakes, may not park again, and cannot be retired twice", async () => {
  const { memory, parking } = newParking();
  const { up } = await asleep({ memory, of: { kind: "parked", worker: 1, workers: WORKERS, layout: LAYOUT } });
  assert.is(parking.retire(0), false, "it does not sleep");
  assert.is(parking.retire(1), true);
  assert.is(await up, true);
  assert.equal([parking.retire(1), parking.announce(1), parking.wake(3)], [false, false, 0]);
  parking.leave(1);
  assert.is(parking.announce(1), false, "for good");
  parking.enter(1);
  assert.is(parking.announce(1), true, "its successor");
});

parkings("a wait that nobody ends is over with its time, and its announcement can be taken back", () => {
  const { parking } = newParking();
  parking.enter(2);
  assert.ok(parking.announce(2));
  assert.is(parking.wait(2, 10), false);
  assert.ok(parking.isParked(2));
  parking.leave(2);
  assert.not.ok(parking.isParked(2));
  assert.is(parking.wait(2, 600_000), true, "it does not sleep without an announcement");
});

parkings("an asynchronous wait resolves when woken, and there is none where that has been already", async () => {
  const { parking } = newParking();
  parking.announce(0);
  const woken = parking.waitAsync(0);
  assert.ok(woken instanceof Promise);
  assert.is(parking.wake(1), 1);
  await woken;
  assert.is(parking.waitAsync(0), undefined);
});

parkings("tasks and looks are each worker's own, and a successor has no task", () => {
  const { parking, words } = newParking();
  parking.note(1, 77);
  for (let look = 0; look < 3; look++) parking.noteLook(1);
  parking.noteLook(2);
  assert.equal(
    [0, 1, 2].map((worker) => parking.taskOf(worker)),
    [0, 77, 0],
  );
  assert.equal(
    [0, 1, 2].map((worker) => parking.looksOf(worker)),
    [0, 3, 1],
  );
  // The word between belongs to whoever has the line.
  assert.equal(
    [0, 1, 2].map((worker) => written(words, worker)),
    [[], [2, 3], [3]],
  );
  parking.announce(1);
  assert.equal(written(words, 1), [0, 2, 3]);
  parking.enter(1);
  assert.equal([parking.taskOf(1), parking.looksOf(1), parking.isParked(1)], [0, 3, false]);
  assert.ok(words.subarray(0, LAYOUT.firstWord).every((word) => word === 0));
});

parkings.run();
