import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Histogram, type StoredHistogram } from "../../../../src/harness/load/histogram/histogram.js";
import { noErrors } from "../../../../src/harness/load/result/run-result.js";
import { mergePartialResults } from "../../../../src/harness/load/run/merge.js";
import type { PartialResult } from "../../../../src/harness/load/run/partial-result.js";
import { optionsFor } from "../liar.js";

function stored(...values: readonly number[]): StoredHistogram {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram.toStored();
}

const emptyKind = { name: "GET", sent: 0, completed: 0, errors: noErrors(), statusCounts: {}, total: stored() };

/** What two threads tell of one run; no two numbers are alike. */
const first: PartialResult = {
  sent: 110,
  completed: 101,
  errors: { ...noErrors(), reset: 7, timeout: 2 },
  statusCounts: { "200": 103, "404": 5 },
  keepAliveResponses: 91,
  serverSoftware: "",
  totalBytes: 10_007,
  bodyBytes: 5003,
  startedAt: "2026-01-02T03:04:06.000Z",
  latency: { connect: stored(11), processing: stored(23, 29), waiting: stored(31), total: stored(41, 43) },
  totalByFirstByte: { f: stored(41), s: stored(43) },
  kinds: [{ ...emptyKind, documentBytes: 57, bodyBytes: 5003, bodySha256: "ab", shortest: 51, longest: 59 }],
  connectFailure: "",
  openLoop: null,
  elapsedMs: 3100,
  window: { endsAfterMs: 2500, lastEndsMs: [2400, 2600, 3100], completedAfter: 0 },
  measuredMs: 2700,
  cpuBefore: { user: 1_000_300, system: 500_700 },
  cpuAfter: { user: 2_200_000, system: 900_000 },
  eventLoopUtilization: 0.61,
  eventLoopDelayMaxMs: 13,
};
const second: PartialResult = {
  ...first,
  sent: 220,
  completed: 211,
  errors: { ...noErrors(), reset: 3, "wrong-length": 6 },
  statusCounts: { "200": 217, "503": 1 },
  keepAliveResponses: 193,
  serverSoftware: "x/2",
  totalBytes: 20_011,
  bodyBytes: 7001,
  startedAt: "2026-01-02T03:04:05.000Z",
  latency: { connect: stored(13), processing: stored(37), waiting: stored(47, 53), total: stored(61) },
  totalByFirstByte: { s: stored(61), x: stored(67) },
  kinds: [{ ...emptyKind, documentBytes: 57, bodyBytes: 7001, bodySha256: "ab", shortest: 47, longest: 57 }],
  connectFailure: "no route",
  elapsedMs: 2900,
  window: { endsAfterMs: 2550, lastEndsMs: [2700], completedAfter: 0 },
  measuredMs: 2600,
  cpuBefore: { user: 1_000_000, system: 500_900 },
  cpuAfter: { user: 2_000_000, system: 800_000 },
  eventLoopUtilization: 0.59,
  eventLoopDelayMaxMs: 17,
};

const whole = { peakConnections: 5, perSecond: [{ completed: 312, errors: 18, p99: 60 }] };
const of = (one: StoredHistogram): readonly unknown[] => {
  const { count, min, max, mean } = Histogram.fromStored(one);
  return [count, min, max, Math.round(mean * count)];
};

const test = suite("results of threads put together");

test("counts are summed, times are those of the longest, CPU time is of the process up to the first that was done", () => {
  const options = optionsFor(9090, { requests: 330, concurrency: 6, path: "/a?b" });
  const { latency, totalByFirstByte, url, host, port, ...rest } = mergePartialResults(options, [first, second], whole);
  assert.equal([url, host, port], ["http://127.0.0.1:9090/a?b", "127.0.0.1", 9090]);
  assert.equal(rest, {
    path: "/a?b",
    method: "GET",
    loop: "closed",
    concurrency: 6,
    keepAlive: true,
    requested: 330,
    sent: 330,
    completed: 312,
    errors: { ...noErrors(), reset: 10, timeout: 2, "wrong-length": 6 },
    statusCounts: { "200": 320, "404": 5, "503": 1 },
    keepAliveResponses: 284,
    peakConnections: 5,
    serverSoftware: "x/2",
    documentBytes: 57,
    connectFailure: "no route",
    totalBytes: 30_018,
    bodyBytes: 12_004,
    elapsedSeconds: 3.1,
    // 3,100, 2,600 and 2,700 ms lie after 2,550.
    window: { seconds: 2.55, completed: 309, latencyAfterSeconds: 0.75 },
    startedAt: "2026-01-02T03:04:05.000Z",
    perSecond: whole.perSecond,
    generator: {
      threads: 2,
      cpuUserMicros: 1_000_000,
      cpuSystemMicros: 299_300,
      cpuShare: 1_299_300 / 2_600_000,
      eventLoopUtilization: 0.61,
      eventLoopDelayMaxMs: 17,
    },
    bodySha256: "ab",
  });
  assert.equal(of(latency.connect), [2, 11, 13, 24]);
  assert.equal(of(latency.processing), [3, 23, 37, 89]);
  assert.equal(of(latency.waiting), [3, 31, 53, 131]);
  assert.equal(of(latency.total), [3, 41, 61, 145]);
  const byFirstByte = Object.entries(totalByFirstByte).map(([key, histogram]) => [key, ...of(histogram)]);
  assert.equal(byFirstByte, [
    ["f", 1, 41, 41, 41],
    ["s", 2, 43, 61, 104],
    ["x", 1, 67, 67, 67],
  ]);
});

test("bodies that may differ: the shortest and the longest of all threads", () => {
  const options = optionsFor(9090, { requests: 330, concurrency: 6, variableLength: true });
  assert.equal(mergePartialResults(options, [first, second], whole).bodyLengths, { shortest: 47, longest: 59 });
  const alike = { ...first, kinds: [{ ...first.kinds[0]!, shortest: 57, longest: 57 }] };
  assert.is(mergePartialResults(options, [alike], whole).bodyLengths, undefined);
});

test("an open loop: what was late in all threads, what waited, and the rate over the schedule", () => {
  const loop = (lag: StoredHistogram, pacing: StoredHistogram, lastSentAfterMs: number) => ({
    lag,
    pacing,
    lastSentAfterMs,
  });
  const threads = [
    { ...first, openLoop: loop(stored(5, 7, 900), stored(5, 7), 1900) },
    { ...second, openLoop: loop(stored(3, 11), stored(3, 11), 3800) },
  ].map((part) => ({ ...part, window: { endsAfterMs: 2000, lastEndsMs: [], completedAfter: 4 } }));
  const even = { rate: 200, arrivals: "even" as const, durationMs: 2000, requests: Number.POSITIVE_INFINITY };
  const { openLoop, window, loop: kind } = mergePartialResults(optionsFor(9090, even), threads, whole);
  const { lag, pacing, ...rest } = openLoop!;
  assert.is(kind, "open");
  // Five requests up to 3,805 ms: the last one has its period.
  assert.equal(rest, { rate: 200, arrivals: "even", waited: 1, achievedRate: 5000 / 3805 });
  assert.equal(
    [of(lag), of(pacing)],
    [
      [5, 3, 900, 926],
      [4, 3, 11, 26],
    ],
  );
  assert.equal(window, { seconds: 2, completed: 304, latencyAfterSeconds: 0 });
  const random = { ...even, arrivals: "poisson" as const, seed: 9, rampMs: 500, growing: true, concurrency: 3 };
  const at = mergePartialResults(optionsFor(9090, random), threads, whole);
  assert.equal([at.openLoop!.seed, at.openLoop!.rampSeconds, at.openLoop!.connectionsAllowed], [9, 0.5, 5]);
  assert.is(at.openLoop!.achievedRate, 5000 / 3800);
  assert.equal([at.concurrency, at.requestedSeconds], [5, 2]);
});

test.run();
