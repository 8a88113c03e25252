import { suite } from "uvu";
import * as assert from "uvu/assert";
import { accountingBetween, type ServerReading } from "../../../src/harness/sweep/server-process.js";

const before: ServerReading = {
  requests: 101,
  shed: 1,
  handlerErrors: 2,
  aborted: 3,
  cpuUserMicros: 1000,
  cpuSystemMicros: 500,
  uptimeMicros: 10_000,
  peakRssBytes: 50,
  eventLoop: { activeMs: 10, idleMs: 30, delayMaxMs: 4 },
  phases: {
    wait: { count: 10, sumMicros: 100 },
    handler: { count: 10, sumMicros: 200 },
    back: { count: 10, sumMicros: 300 },
    write: { count: 10, sumMicros: 400 },
  },
  uws: "20",
  iterationsPerMicro: 1,
};
const after: ServerReading = {
  ...before,
  requests: 1102,
  shed: 5,
  handlerErrors: 7,
  aborted: 9,
  cpuUserMicros: 4000,
  cpuSystemMicros: 2500,
  uptimeMicros: 60_000,
  peakRssBytes: 80,
  eventLoop: { activeMs: 40, idleMs: 40, delayMaxMs: 6 },
  phases: {
    wait: { count: 30, sumMicros: 140 },
    handler: { count: 30, sumMicros: 260 },
    back: { count: 30, sumMicros: 380 },
    write: { count: 30, sumMicros: 500 },
  },
};

const test = suite("account between two readings");

test("is their difference without the second reading's own request; what is a maximum stays one", () => {
  assert.equal(accountingBetween(before, after), {
    requests: 1000,
    shed: 4,
    handlerErrors: 5,
    aborted: 6,
    cpuUserMicros: 3000,
    cpuSystemMicros: 2000,
    elapsedMicros: 50_000,
    peakRssBytes: 80,
    eventLoopUtilization: 0.75,
    eventLoopDelayMaxMs: 6,
    phases: { wait: 2, handler: 3, back: 4, write: 5 },
  });
});

test("no request measured between them: no means, not NaN", () => {
  assert.is(accountingBetween(before, before).phases, null);
});

test("readings of a loop that was never sampled between them give no utilisation, not NaN", () => {
  assert.is(accountingBetween(before, before).eventLoopUtilization, 0);
});

test.run();
