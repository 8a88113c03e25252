import { Histogram, type StoredHistogram } from "../../../src/harness/load/histogram/histogram.js";
import { errorClasses, noErrors, type RunResult } from "../../../src/harness/load/result/run-result.js";

/** Latencies of ms that grow by their square. */
function latencies(firstMs: number, stepMs: number, count: number): StoredHistogram {
  const histogram = new Histogram();
  for (let n = 0; n < count; n++) histogram.record(Math.round(1e6 * (firstMs + stepMs * n * n)));
  return histogram.toStored();
}

/** Every class has another number. */
const everyError = Object.fromEntries(errorClasses.map((name, n) => [name, 2 * n + 3])) as RunResult["errors"];

/** A closed loop over a time, with every kind of failure, and what is left out elsewhere; no two numbers are alike. */
export const closedRun: RunResult = {
  url: "http://localhost:9091/a?b=c",
  host: "localhost",
  port: 9091,
  path: "/a?b=c",
  method: "POST",
  requestBodyBytes: 37,
  loop: "closed",
  concurrency: 21,
  keepAlive: true,
  requested: 1500,
  requestedSeconds: 7,
  sent: 1500,
  completed: 1000,
  errors: everyError,
  statusCounts: { "200": 1011, "404": 19, "503": 23 },
  keepAliveResponses: 987,
  peakConnections: 20,
  serverSoftware: "x/1",
  documentBytes: 1013,
  bodyLengths: { shortest: 1009, longest: 1019 },
  totalBytes: 1_234_567,
  bodyBytes: 1_013_000,
  elapsedSeconds: 8.25,
  startedAt: "2026-11-21T00:00:01.000Z",
  window: { seconds: 7.5, completed: 960, latencyAfterSeconds: 1.75 },
  latency: {
    connect: latencies(0.01, 0.00001, 1000),
    processing: latencies(0.5, 0.0001, 1000),
    waiting: latencies(0.3, 0.00007, 1000),
    total: latencies(0.51, 0.00011, 1000),
  },
  totalByFirstByte: {},
  generator: {
    threads: 3,
    cpuUserMicros: 2_100_000,
    cpuSystemMicros: 1_300_000,
    cpuShare: 0.453,
    eventLoopUtilization: 0.617,
    eventLoopDelayMaxMs: 12.5,
  },
};

const { requestBodyBytes: _, bodyLengths: __, requestedSeconds: ___, window: ____, ...plainRun } = closedRun;

/** An open loop with a ramp, two kinds of request, and connections that were short. */
export const openRun: RunResult = {
  ...plainRun,
  method: "MIX",
  seed: 5,
  loop: "open",
  sent: 1023,
  requested: 1100,
  errors: { ...noErrors(), timeout: 23 },
  kinds: [
    {
      name: "get",
      sent: 710,
      completed: 700,
      errors: { ...noErrors(), timeout: 10 },
      statusCounts: { "200": 700 },
      documentBytes: 11,
      bodyBytes: 7700,
      total: latencies(0.4, 0.0002, 700),
    },
    {
      name: "put it",
      sent: 313,
      completed: 300,
      errors: { ...noErrors(), timeout: 13 },
      statusCounts: { "201": 300 },
      documentBytes: 17,
      bodyBytes: 5100,
      total: latencies(0.9, 0.0005, 300),
    },
  ],
  openLoop: {
    rate: 2000,
    arrivals: "poisson",
    seed: 6,
    rampSeconds: 4,
    meanRate: 1003.5,
    waited: 77,
    connectionsAllowed: 64,
    achievedRate: 1998.25,
    lag: latencies(0.02, 0.000003, 1023),
    pacing: latencies(0.015, 0.000002, 946),
  },
};
