import { suite } from "uvu";
import * as assert from "uvu/assert";
import { statsView } from "../../src/cli/stats-view.js";
import type { Metrics } from "../../src/shared/stats/metrics.js";

/** No two numbers are alike. */
const metrics = {
  mode: "pool",
  pid: 4711,
  node: "20.20.2",
  uptimeMicros: 3_723_000_000,
  requests: 1_234_567,
  bodyBytes: 9_876_543_210,
  responses: { "2xx": 1201, "3xx": 302, "4xx": 403, "5xx": 504 },
  status: { "200": 1200, "404": 399, "500": 7 },
  activeConnections: 31,
  connections: 5201,
  inFlight: 17,
  queued: 5,
  shed: 61,
  timedOut: 62,
  aborted: 63,
  handlerErrors: 64,
  latency: { count: 100, p50Micros: 850, p90Micros: 1230, p99Micros: 2_340_000 },
  eventLoop: { delayMaxMs: 42 },
  peakRssBytes: 87_400_000,
  workers: 3,
  workersLost: 2,
  workerStates: [
    { worker: 0, state: "busy", forMs: 950, on: "/cpu", handled: 5001 },
    { worker: 1, state: "idle", forMs: 61_000, on: null, handled: 5002 },
    { worker: 2, state: "absent", forMs: 7000, on: null, handled: 0 },
  ],
} as unknown as Metrics;

const interval = {
  seconds: 2,
  requestsPerSecond: 4321.4,
  bodyBytesPerSecond: 765_432,
  cpus: 1.375,
  loopUse: 0.637,
  latency: { p50: 12.4, p90: 999.4, p99: 15_600 },
};

const test = suite("view of the stats");

test("every line with its numbers and their units", () => {
  assert.equal(statsView(metrics, interval, [1000, 4000, 2000]), [
    "loopool pool   pid 4711   up 1 h 2 min   Node 20.20.2",
    "",
    "requests/s   4,321   total 1,234,567   ▃█▅",
    "bytes/s      765.4 kB   total 9.9 GB",
    "responses    2xx 1,201   3xx 302   4xx 403   5xx 504",
    "             200 1,200   404 399   500 7",
    "connections  active 31   accepted 5,201",
    "requests     in flight 17   queued 5   shed 61   timed out 62   aborted 63   failed 64",
    "latency      p50 12 µs   p90 999 µs   p99 15.6 ms",
    "main thread  loop in use 64%   longest delay 42.0 ms",
    "process      1.38 CPUs   peak memory 87.4 MB",
    "workers      3   lost 2",
    "               0   busy     for 950 ms     5,001 handled   /cpu",
    "               1   idle     for 1 min 1 s   5,002 handled",
    "               2   absent                  0 handled",
  ]);
});

test("before there are two readings: latencies since the start, and no rates", () => {
  const lines = statsView({ ...metrics, workers: 0, workerStates: [], queued: null }, null, []);
  assert.equal(lines.slice(2, 4), ["requests/s   –   total 1,234,567", "bytes/s      –   total 9.9 GB"]);
  assert.equal(lines.slice(7), [
    "requests     in flight 17   shed 61   timed out 62   aborted 63   failed 64",
    "latency, all p50 850 µs   p90 1.23 ms   p99 2.34 s",
    "main thread  –   longest delay 42.0 ms",
    "process      –   peak memory 87.4 MB",
  ]);
  const untimed = { ...metrics, latency: { ...metrics.latency, count: 0 } };
  assert.is(statsView(untimed, null, [])[8], "latency, all nothing was timed");
});

test("how long it has been up: in the units of its length", () => {
  for (const [seconds, text] of [
    [0.25, "250 ms"],
    [1, "1 s"],
    [59.9, "59 s"],
    [60, "1 min 0 s"],
    [3599, "59 min 59 s"],
    [3600, "1 h 0 min"],
    [86_399, "23 h 59 min"],
    [86_400, "1 d 0 h"],
    [180_000, "2 d 2 h"],
  ] as const) {
    const [first] = statsView({ ...metrics, uptimeMicros: seconds * 1e6 }, null, []);
    assert.is(first, `loopool pool   pid 4711   up ${text}   Node 20.20.2`);
  }
});

test.run();
