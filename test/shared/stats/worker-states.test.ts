import { suite } from "uvu";
import * as assert from "uvu/assert";
import { NO_HEADERS } from "../../../src/shared/handlers/handler.js";
import { ClaimRing, claimRingBytes } from "../../../src/shared/memory/claim-ring.js";
import { Parking, parkingBytes } from "../../../src/shared/memory/parking.js";
import { LONG_REQUESTS_BYTES, RequestWriter } from "../../../src/shared/request-codec.js";
import { Field, statsBytes, ThreadStats } from "../../../src/shared/stats/stats.js";
import { sightingsBytes, type WorkersView, WorkersWatch } from "../../../src/shared/stats/worker-states.js";

const test = suite("worker states");

/** Two places and a ring of four slots, as a pool has them. */
function setUp() {
  const requestShape = { slots: 4, payloadBytes: 112 };
  const view: WorkersView = {
    workers: 2,
    parking: new SharedArrayBuffer(parkingBytes(2)),
    requests: new SharedArrayBuffer(claimRingBytes(requestShape)),
    requestShape,
    longRequests: new SharedArrayBuffer(LONG_REQUESTS_BYTES),
    sightings: new SharedArrayBuffer(sightingsBytes(2)),
  };
  const stats = new SharedArrayBuffer(statsBytes(3));
  const ring = new ClaimRing(view.requests, requestShape);
  return {
    parking: new Parking(view.parking, 2),
    ring,
    writer: new RequestWriter(ring, view.longRequests),
    worker: new ThreadStats(stats, 1),
    sampler: new WorkersWatch(view, stats),
    reader: new WorkersWatch(view, stats),
  };
}

test("a place is absent until main says otherwise; a worker in it is busy or asleep", () => {
  const { parking, reader } = setUp();
  const state = () => reader.read(0).workerStates[0]!.state;
  assert.is(state(), "absent");
  parking.notePresence(0, true);
  assert.is(state(), "busy");
  parking.announce(0);
  assert.is(state(), "idle");
  parking.wake(1);
  assert.is(state(), "busy");
  parking.notePresence(0, false);
  assert.is(state(), "absent");
  assert.is(reader.read(0).workerStates[1]!.state, "absent");
});

test("times are those since the sampler first saw it so, and 0 once it has changed", () => {
  const { parking, reader, sampler, worker } = setUp();
  const forMs = (nowMs: number) => reader.read(nowMs).workerStates[0]!.forMs;
  parking.notePresence(0, true);
  parking.announce(0);
  assert.is(forMs(1000), null, "nobody has sampled");
  sampler.sample(1000);
  sampler.sample(1100);
  assert.is(forMs(1150), 150);
  // The same state before and after, but another request in between.
  worker.add(Field.handled, 1);
  assert.is(forMs(1150), 0);
  sampler.sample(1200);
  assert.is(forMs(1250), 50);
  parking.note(0, 3);
  assert.is(forMs(1300), 0);
  sampler.sample(1300);
  assert.is(forMs(6300), 5000, "stuck in one request");
  assert.is(reader.read(0).workerStates[0]!.handled, 1);
});

test("times go on over the wrap of their word", () => {
  const { parking, reader, sampler } = setUp();
  parking.notePresence(0, true);
  for (const [task, startMs] of [2 ** 31 - 10, 2 ** 32 - 10, 5 * 2 ** 31 - 10].entries()) {
    parking.note(0, 1 + task);
    sampler.sample(startMs);
    assert.is(reader.read(startMs + 25.5).workerStates[0]!.forMs, 25);
  }
});

test("what waits in the ring is counted, without what is claimed, taken back or skipped", () => {
  const { ring, reader } = setUp();
  const queued = () => reader.read(0).queued;
  const publish = () => {
    const slot = ring.reserve();
    ring.publish(slot);
    return slot;
  };
  assert.is(queued(), 0);
  const [first] = [publish(), publish(), publish()];
  assert.is(queued(), 3);
  assert.is(ring.claim(0), first);
  assert.is(queued(), 2);
  const last = publish();
  assert.is(queued(), 3);
  assert.ok(ring.revoke(last));
  assert.is(queued(), 2);
  ring.claim(0);
  ring.claim(1);
  assert.is(queued(), 0);
  assert.is(ring.claim(1), -1, "steps over what was taken back");
  // Three slots are owned: the producer goes past them to the free one, round after round.
  for (let round = 0; round < 10; round++) {
    const slot = publish();
    assert.is(queued(), 1, `round ${round}`);
    assert.is(ring.claim(1), slot);
    ring.release(slot);
    assert.is(queued(), 0);
  }
});

test("shows the request that a worker runs, and none that is not its own any more", () => {
  const { parking, ring, reader, writer } = setUp();
  const on = () => reader.read(0).workerStates[0]!.on;
  parking.notePresence(0, true);
  const slot = ring.reserve();
  writer.write(slot, { method: "HEAD", path: "/páth", query: "secret=1", headers: NO_HEADERS }, false);
  ring.publish(slot);
  ring.claim(0);
  assert.is(on(), null);
  parking.note(0, 1 + slot);
  assert.is(on(), "HEAD /páth", "without the query");
  ring.release(slot);
  assert.is(on(), null, "answered");
  while (ring.reserve() !== slot) {
    ring.publish(ring.reserve());
    ring.claim(1);
  }
  writer.write(slot, { method: "GET", path: `/${"x".repeat(100)}`, query: "", headers: NO_HEADERS }, false);
  ring.publish(slot);
  assert.is(on(), null, "nobody has it yet");
  ring.claim(1);
  assert.is(on(), null, "another worker has it");
});

test.run();
