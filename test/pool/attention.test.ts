import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ClaimRing, claimRingBytes } from "../../src/shared/memory/claim-ring.js";
import { Parking } from "../../src/shared/memory/parking.js";
import { Modules } from "../support/stepped/modules.js";
import { VirtualTime } from "../support/virtual-time.js";

type Module = typeof import("../../src/pool/attention.js");

const shape = { slots: 8, payloadBytes: 8 };

/** Two workers that do what the test says, under the watch of the real code. */
function watched(requestTimeoutMs: number | null) {
  const time = new VirtualTime();
  const { replaceInattentive } = new Modules({ globals: time.globals }).load<Module>("pool/attention.js");
  const ring = new ClaimRing(new SharedArrayBuffer(claimRingBytes(shape)), shape);
  const parking = new Parking(new SharedArrayBuffer(1024), 2, { firstWord: 0, strideWords: 16 });
  const killed: string[] = [];
  const hosts = [0, 1].map((worker) => ({
    isReady: true,
    kill: (reason: string) => killed.push(`${worker}: ${reason}`),
  }));
  replaceInattentive(hosts as never, ring, parking, requestTimeoutMs);
  /** Passes of the time between two looks, during which worker 1 looks for work. */
  const pass = (limitMs: number, times: number): void => {
    for (let i = 0; i < times; i++) {
      parking.noteLook(1);
      time.advance(limitMs / 5);
    }
  };
  return { ring, parking, hosts, killed, pass, time };
}

const test = suite("workers that take nothing");

for (const [setMs, limitMs] of [
  [null, 10_000],
  [200, 1000],
  [3000, 3000],
] as const) {
  test(`one that leaves requests alone is replaced at the fifth look of ${limitMs} ms in a row (limit of requests: ${setMs} ms)`, () => {
    const { ring, killed, pass } = watched(setMs);
    ring.publish(ring.reserve());
    pass(limitMs, 4);
    assert.equal(killed, []);
    pass(limitMs, 1);
    assert.equal(killed, ["0: it held no request and took none while some waited"]);
    pass(limitMs, 4);
    assert.is(killed.length, 1, "its successor has as long");
    pass(limitMs, 1);
    assert.is(killed.length, 2);
  });
}

test("looks are counted from the last sign of life: a look for work, a request it holds, a handler it runs, an empty ring", () => {
  const signs: readonly ((of: ReturnType<typeof watched>) => () => void)[] = [
    ({ parking }) => {
      parking.noteLook(0);
      return () => {};
    },
    ({ ring }) => {
      const slot = ring.claim(0);
      ring.publish(ring.reserve());
      return () => ring.release(slot);
    },
    ({ parking }) => {
      parking.note(0, 1);
      return () => parking.note(0, 0);
    },
    ({ ring }) => {
      const slot = ring.claim(1);
      return () => {
        ring.release(slot);
        ring.publish(ring.reserve());
      };
    },
    ({ hosts }) => {
      hosts[0]!.isReady = false;
      return () => {
        hosts[0]!.isReady = true;
      };
    },
  ];
  for (const sign of signs) {
    const all = watched(1000);
    all.ring.publish(all.ring.reserve());
    all.pass(1000, 4);
    const end = sign(all);
    all.pass(1000, 1);
    end();
    all.pass(1000, 4);
    assert.equal(all.killed, []);
    all.pass(1000, 1);
    assert.is(all.killed.length, 1);
  }
});

test.run();
