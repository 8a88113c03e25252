import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ClaimRing, claimRingBytes } from "../../src/shared/memory/claim-ring.js";
import { Parking } from "../../src/shared/memory/parking.js";
import { Counter, statsBytes, ThreadStats } from "../../src/shared/stats/stats.js";
import { Modules } from "../support/stepped/modules.js";
import { VirtualTime } from "../support/virtual-time.js";

type Module = typeof import("../../src/pool/scaling.js");

const TICK_MS = 50;
const shape = { slots: 8, payloadBytes: 8 };

/** A pool of one to three workers that do what the test says. */
function scaled(idleMs = 300) {
  const time = new VirtualTime();
  const { scaleWorkers } = new Modules({ globals: time.globals }).load<Module>("pool/scaling.js");
  const ring = new ClaimRing(new SharedArrayBuffer(claimRingBytes(shape)), shape);
  const parking = new Parking(new SharedArrayBuffer(1024), 3, { firstWord: 0, strideWords: 16 });
  const stats = new SharedArrayBuffer(statsBytes(4));
  const lines: string[] = [];
  const retired: number[] = [];
  let failure: Error | null = null;
  const hosts = [0, 1, 2].map((worker) => ({
    isReady: worker === 0,
    isVacant: worker > 0,
    openStreams: 0,
    start(): Promise<void> {
      this.isVacant = false;
      if (failure === null) this.isReady = true;
      else this.isVacant = true;
      return failure === null ? Promise.resolve() : Promise.reject(failure);
    },
    expectRetirement(): void {
      this.isReady = false;
      retired.push(worker);
    },
  }));
  scaleWorkers(hosts as never, ring, parking, stats, { min: 1, idleMs, tell: (line) => lines.push(line) });
  return {
    ...{ time, ring, parking, hosts, lines, retired },
    handled: (worker: number) => new ThreadStats(stats, 1 + worker).add(Counter.handled, 1),
    ready: () => hosts.filter(({ isReady }) => isReady).length,
    failWith: (error: Error) => {
      failure = error;
    },
  };
}

const test = suite("as many workers as the load needs");

test("one more is started when requests have waited for two ticks and nobody is idle, and so on up to all", () => {
  const { time, ring, ready } = scaled();
  ring.publish(ring.reserve());
  const counts = Array.from({ length: 7 }, () => {
    time.advance(TICK_MS);
    return ready();
  });
  assert.equal(counts, [1, 2, 2, 3, 3, 3, 3]);
});

test("a tick without a backlog, or with an idle worker, begins the count anew", () => {
  const { time, ring, parking, ready } = scaled(1e9);
  for (let round = 0; round < 3; round++) {
    ring.publish(ring.reserve());
    time.advance(TICK_MS);
    ring.release(ring.claim(0));
    time.advance(TICK_MS);
    ring.publish(ring.reserve());
    time.advance(TICK_MS);
    parking.announce(0);
    time.advance(TICK_MS);
    parking.leave(0);
    time.advance(TICK_MS);
    ring.release(ring.claim(0));
    time.advance(TICK_MS);
  }
  assert.is(ready(), 1);
});

test("one that does not start is reported, and tried again while the requests wait", async () => {
  const { time, ring, lines, failWith } = scaled();
  failWith(new Error("no\nmemory"));
  ring.publish(ring.reserve());
  time.advance(4 * TICK_MS);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(lines, Array(2).fill("one more worker does not start: no\\nmemory"));
});

test("the last one that has been idle for its time is retired, one a tick, down to the minimum", () => {
  const { time, parking, hosts, retired } = scaled();
  for (const host of hosts) Object.assign(host, { isReady: true, isVacant: false });
  for (let worker = 0; worker < 3; worker++) parking.announce(worker);
  time.advance(TICK_MS);
  time.advance(300 - TICK_MS);
  assert.equal(retired, []);
  time.advance(TICK_MS);
  assert.equal(retired, [2]);
  time.advance(TICK_MS);
  assert.equal(retired, [2, 1]);
  time.advance(10 * TICK_MS);
  assert.equal(retired, [2, 1], "one stays");
  assert.not(parking.announce(2), "it is told");
});

test("idle is who sleeps and has handled nothing since: a request, however short, begins the time anew", () => {
  const { time, parking, hosts, retired, handled } = scaled();
  for (const host of hosts) Object.assign(host, { isReady: true, isVacant: false });
  parking.announce(1);
  for (let round = 0; round < 4; round++) {
    time.advance(250);
    handled(1);
    time.advance(TICK_MS);
  }
  assert.equal(retired, []);
  time.advance(300);
  assert.equal(retired, [1], "the others do not sleep");
});

test("one that holds a request whose promise is pending is not retired", () => {
  const { time, ring, parking, hosts, retired } = scaled();
  for (const host of hosts) Object.assign(host, { isReady: true, isVacant: false });
  ring.publish(ring.reserve());
  const slot = ring.claim(1);
  parking.announce(1);
  time.advance(1000);
  assert.equal(retired, []);
  ring.release(slot);
  time.advance(TICK_MS);
  assert.equal(retired, [1]);
});

test.run();
