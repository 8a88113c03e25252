import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Modules } from "../support/stepped/modules.js";
import { VirtualTime } from "../support/virtual-time.js";

type WorkLoopModule = typeof import("../../src/pool/work-loop.js");
type MemoryModule = typeof import("../../src/pool/memory.js");

/** A worker's loop with the pool's real memory; how it waits is noted and up to the test. */
function newLoop(serve: (slot: number) => void = () => {}) {
  const time = new VirtualTime();
  const waits: (string | number)[] = [];
  /** What the next wait in which the thread stands still comes to. */
  const outcomes: string[] = [];
  let woken = (): void => {};
  const atomics: Pick<typeof Atomics, "wait" | "waitAsync"> = {
    wait: (_words: unknown, _at: unknown, _value: unknown, timeoutMs: number) => {
      waits.push(timeoutMs);
      return outcomes.shift() ?? "timed-out";
    },
    waitAsync: (words: Int32Array, at: number, value: number) => {
      waits.push("in the event loop");
      if (Atomics.load(words, at) !== value) return { async: false, value: "not-equal" };
      const then = (use: () => void): void => {
        woken = use;
      };
      return { async: true, value: { then } };
    },
  } as never;
  const modules = new Modules({
    globals: { ...time.globals, Atomics: Object.assign(Object.create(Atomics), bound(), atomics) },
  });
  const { createPoolMemory, attachPool } = modules.load<MemoryModule>("pool/memory.js");
  const { WorkLoop, MAX_PENDING } = modules.load<WorkLoopModule>("pool/work-loop.js");
  const { requests, parking } = attachPool(createPoolMemory(1, 2048, 2 ** 20));
  const served: number[] = [];
  const failures: unknown[] = [];
  let retired = 0;
  const loop = new WorkLoop({
    worker: 0,
    requests,
    parking,
    serve: (slot) => {
      served.push(slot);
      serve(slot);
    },
    onRetired: () => retired++,
    onFailed: (error) => failures.push(error),
  });
  parking.enter(0);
  const push = (count: number): void => {
    for (let i = 0; i < count; i++) requests.publish(requests.reserve());
  };
  return {
    loop,
    time,
    waits,
    outcomes,
    requests,
    parking,
    served,
    failures,
    push,
    MAX_PENDING,
    wake: () => woken(),
    retired: () => retired,
  };
}

/** The functions of Atomics, which can be called without it. */
function bound(): object {
  return Object.fromEntries(
    Object.getOwnPropertyNames(Atomics).map((name) => [name, Atomics[name as keyof typeof Atomics]]),
  );
}

const test = suite("a worker's loop");

test("serves all that waits, then stands still for 4 ms, then waits in its event loop until it is woken", () => {
  const { loop, waits, served, parking, push, wake } = newLoop();
  push(3);
  loop.run();
  assert.equal(served, [0, 1, 2]);
  assert.equal(waits, [4, "in the event loop"]);
  assert.ok(parking.isParked(0));
  push(1);
  assert.is(parking.wake(1), 1);
  wake();
  assert.equal(served, [0, 1, 2, 3]);
});

test("one that is woken while it stands still serves at once", () => {
  const { loop, outcomes, served, push, parking } = newLoop();
  outcomes.push("ok");
  const { noteLook } = parking;
  let looks = 0;
  parking.noteLook = (worker) => {
    noteLook.call(parking, worker);
    // What comes while it sleeps.
    if (++looks === 2) push(1);
  };
  loop.run();
  assert.equal(served, [0]);
  assert.is(parking.looksOf(0), looks);
  assert.is(looks, 2);
});

test("is not shown as asleep while it serves what it found after it had announced that it would sleep", () => {
  const { loop, parking, push, requests } = newLoop(() => assert.not(parking.isParked(0)));
  const { announce } = parking;
  parking.announce = (worker) => {
    const isToSleep = announce.call(parking, worker);
    if (requests.isEmpty && requests.heldBy(0).length === 0) push(1);
    return isToSleep;
  };
  loop.run();
  assert.is(requests.heldBy(0).length, 1);
});

for (const [pending, limitMs] of [
  [0, 4],
  [1, 1],
] as const) {
  test(`goes through its event loop after ${limitMs} ms of work with ${pending} promises pending, however much waits`, () => {
    const { loop, time, served, push } = newLoop(() => {
      time.nowMs += 0.5;
    });
    for (let i = 0; i < pending; i++) loop.deferred();
    push(100);
    loop.run();
    assert.is(served.length, limitMs * 2 + 1);
    assert.is(time.immediates, 1);
    time.tick();
    assert.is(served.length, 2 * (limitMs * 2 + 1), "the time begins anew");
  });
}

test("also when requests come one at a time and wake it each time", () => {
  const { loop, time, outcomes, served, push, parking } = newLoop(() => {
    time.nowMs += 1;
    push(0);
  });
  const { wait } = parking;
  parking.wait = (worker, timeoutMs) => {
    push(1);
    parking.wake(1);
    outcomes.push("ok");
    return wait.call(parking, worker, timeoutMs);
  };
  loop.run();
  assert.is(served.length, 5);
  assert.is(time.immediates, 1);
});

test("and when it is woken for nothing after its event loop is due", () => {
  const { loop, time, waits, outcomes, parking } = newLoop();
  const { wait } = parking;
  parking.wait = (worker, timeoutMs) => {
    time.nowMs += 5;
    parking.wake(1);
    outcomes.push("ok");
    return wait.call(parking, worker, timeoutMs);
  };
  loop.run();
  assert.equal([waits, time.immediates], [[4], 1]);
});

test("claims no more than 1024 pending requests, and goes on when one is settled", () => {
  const { loop, time, served, push, requests, MAX_PENDING } = newLoop(() => loop.deferred());
  assert.is(MAX_PENDING, 1024);
  push(1030);
  loop.run();
  assert.is(served.length, MAX_PENDING);
  time.tick();
  time.tick();
  assert.is(served.length, MAX_PENDING, "it rests");
  assert.is(time.immediates, 0);
  assert.not(requests.isEmpty);
  loop.settled();
  loop.settled();
  assert.is(time.immediates, 1, "once");
  time.tick();
  assert.is(served.length, MAX_PENDING + 2);
});

test("with promises pending it never stands still", () => {
  const { loop, waits } = newLoop();
  loop.deferred();
  loop.run();
  assert.equal(waits, ["in the event loop"]);
});

test("one that was retired ends when it holds nothing", () => {
  const { loop, parking, retired, wake, served, push } = newLoop();
  loop.run();
  assert.ok(parking.retire(0));
  assert.not(parking.retire(0), "it does not sleep any more");
  push(1);
  wake();
  assert.equal(served, [0], "a last request first");
  assert.is(retired(), 1);
});

test("one that was retired while a promise is pending ends when that is settled", () => {
  const { loop, time, parking, retired, wake } = newLoop();
  loop.deferred();
  loop.run();
  parking.retire(0);
  wake();
  assert.is(retired(), 0);
  loop.settled();
  time.tick();
  assert.is(retired(), 1);
});

test("a failure in it is reported, so that the thread can end", () => {
  const { loop, failures, push } = newLoop(() => {
    throw new Error("no memory");
  });
  push(1);
  loop.run();
  assert.equal(failures.map(String), ["Error: no memory"]);
});

test.run();
