import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Parking } from "../../../src/shared/memory/parking.js";
import { Counter, statsBytes, ThreadStats } from "../../../src/shared/stats/stats.js";
import {
  FIRST_WORKER_WORD,
  StatusSegment,
  statusBytes,
  WORKER_WORDS,
} from "../../../src/shared/stats/status-segment.js";
import { type WorkersView, WorkersWatch } from "../../../src/shared/stats/worker-states.js";

const test = suite("worker states");

/** Two places, as a pool has them. */
function setUp() {
  const view: WorkersView = { workers: 2, status: new SharedArrayBuffer(statusBytes(2)) };
  const stats = new SharedArrayBuffer(statsBytes(3));
  return {
    parking: new Parking(view.status, 2, { firstWord: FIRST_WORKER_WORD, strideWords: WORKER_WORDS }),
    status: new StatusSegment(view.status, 2),
    worker: new ThreadStats(stats, 1),
    sampler: new WorkersWatch(view, stats),
    reader: new WorkersWatch(view, stats),
  };
}

test("a place is absent until main says otherwise; a worker in it is busy or asleep", () => {
  const { parking, reader, status } = setUp();
  const state = () => reader.read(0).workerStates[0]!.state;
  assert.is(state(), "absent");
  status.setPresence(0, true);
  assert.is(state(), "busy");
  parking.announce(0);
  assert.is(state(), "idle");
  parking.wake(1);
  assert.is(state(), "busy");
  status.setPresence(0, false);
  assert.is(state(), "absent");
  assert.is(reader.read(0).workerStates[1]!.state, "absent");
});

test("times are those since the sampler first saw it so, and 0 once it has changed", () => {
  const { parking, reader, sampler, status, worker } = setUp();
  const forMs = (nowMs: number) => reader.read(nowMs).workerStates[0]!.forMs;
  status.setPresence(0, true);
  parking.announce(0);
  assert.is(forMs(1000), null, "nobody has sampled");
  sampler.sample(1000);
  sampler.sample(1100);
  assert.is(forMs(1150), 150);
  // The same state before and after, but another request in between.
  worker.add(Counter.handled, 1);
  assert.is(forMs(1150), 0);
  sampler.sample(1200);
  assert.is(forMs(1250), 50);
  status.prepare(0, 0, new Int32Array(1), 0, 1);
  status.begin(0);
  assert.is(forMs(1300), 0);
  sampler.sample(1300);
  assert.is(forMs(6300), 5000, "stuck in one request");
  assert.is(reader.read(0).workerStates[0]!.handled, 1);
});

test("times go on over the wrap of their word", () => {
  const { reader, sampler, status, worker } = setUp();
  status.setPresence(0, true);
  for (const startMs of [2 ** 31 - 10, 2 ** 32 - 10, 5 * 2 ** 31 - 10]) {
    worker.add(Counter.handled, 1);
    sampler.sample(startMs);
    assert.is(reader.read(startMs + 25.5).workerStates[0]!.forMs, 25);
  }
});

test("shows what the worker in a place runs, and nothing of a place that is absent", () => {
  const { reader, status } = setUp();
  const on = () => reader.read(0).workerStates[0]!.on;
  const path = Buffer.from("/páth?secret=1..");
  const words = new Int32Array(Uint8Array.from(path.subarray(0, 16)).buffer);
  status.setPresence(0, true);
  status.prepare(0, 1, words, 0, Buffer.byteLength("/páth"));
  assert.is(on(), null);
  status.begin(0);
  assert.is(on(), "HEAD /páth", "without the query");
  assert.is(reader.read(0).workerStates[1]!.on, null);
  status.setPresence(0, false);
  assert.is(on(), null, "it has ended");
  status.setPresence(0, true);
  status.end(0);
  assert.is(on(), null, "answered");
});

test.run();
