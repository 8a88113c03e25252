import { suite } from "uvu";
import * as assert from "uvu/assert";
import { reasonText, warningText } from "../../../src/harness/report/diagnostic-text.js";
import type { Reason, Warning } from "../../../src/harness/validity/diagnostics.js";

/** Every finding as a reader sees it; no two numbers of one are alike. */
const reasons: readonly (readonly [Reason, string])[] = [
  [{ code: "trials-missing", planned: 12, finished: 7 }, "7 of 12 planned trials finished"],
  [{ code: "trial-failed", trials: 3, failure: "it fell" }, "3 trials failed: it fell"],
  [
    {
      code: "errors",
      sent: 51_000,
      failed: 1203,
      byClass: { reset: 1100, timeout: 103 },
      byStatus: { "404": 31, "503": 72 },
      serverErrors: "no disk",
    },
    "1,203 of 51,000 requests failed: reset 1,100 and timeout 103 with status 404 (31) and 503 (72); the server said: no disk",
  ],
  [
    { code: "errors", sent: 51, failed: 9, byClass: { "unexpected-status": 9 }, byStatus: { "503": 9 } },
    "9 of 51 requests failed: unexpected-status 9 with status 503",
  ],
  [{ code: "stopped-early", trials: 1, asked: 500, sent: 321 }, "321 of 500 requests were sent (in one trial)"],
  [
    { code: "generator-count", trials: 2, sent: 700, completed: 650, failed: 49 },
    "the counts of the generator do not add up: 700 sent, 650 completed, 49 failed (worst of 2 trials)",
  ],
  [
    { code: "latency-count", trials: 4, completed: 90, recorded: 88 },
    "88 latencies for 90 completed requests (worst of 4 trials)",
  ],
  [
    { code: "server-count", trials: 5, server: 71, generator: 73 },
    "the server counted 71 requests, the generator 73 (worst of 5 trials)",
  ],
  [
    { code: "connections", trials: 6, asked: 450, peak: 433 },
    "433 of 450 connections were open at one time (worst of 6 trials)",
  ],
  [
    { code: "keep-alive-lost", trials: 7, completed: 1000, kept: 988 },
    "keep-alive was asked for, and 12 of 1,000 responses ended their connection (worst of 7 trials)",
  ],
  [
    { code: "littles-law", trials: 8, concurrency: 100, inFlight: 81.5, lowest: 90 },
    "Little's law is broken: the latencies account for 81.5 requests in flight on 100 connections, at least 90.0 and at most the connections are allowed (worst of 8 trials)",
  ],
  [
    { code: "window-too-short", trials: 9, seconds: 1.5, late: 0.62 },
    "the window was too short: 62% of the requests came only after its 1.50 s, and the rate may be off by as much: use a longer --duration (worst of 9 trials)",
  ],
  [
    { code: "generator-limited", generatorShare: 0.97, serverShare: 0.71 },
    "the load generator was the limit: it was 97% busy, the server 71% (full is 90%)",
  ],
  [
    { code: "generator-limited", generatorShare: 0.97, serverShare: null },
    "the load generator was the limit: it was 97% busy, and how busy the server was is not known (full is 90%)",
  ],
  [
    { code: "generator-late", pacingMs: 3.25, latencyMs: 5.5 },
    "the load generator itself was late: by 3.25 ms in its 99th percentile, that of the latency is 5.50 ms",
  ],
];

const warnings: readonly (readonly [Warning, string])[] = [
  [
    { code: "generator-near-limit", generatorShare: 0.83, serverShare: 0.94 },
    "the server was full (94%), and the generator nearly so (83%): a faster generator might find a larger difference, and latencies include the generator's own queue",
  ],
  [
    { code: "generator-near-limit", generatorShare: 0.83, serverShare: 0.9 },
    "the server was full (90%), and the generator nearly so (83%): a faster generator might find a larger difference, and latencies include the generator's own queue",
  ],
  [
    { code: "generator-near-limit", generatorShare: 0.83, serverShare: 0.6 },
    "the generator was 83% busy, the server 60%: latencies include some of the generator's own queue",
  ],
  [
    { code: "generator-near-limit", generatorShare: 0.83, serverShare: null },
    "the generator was 83% busy, and how busy the server was is not known: latencies include some of the generator's own queue",
  ],
  [
    { code: "generator-somewhat-late", pacingMs: 0.31, latencyMs: 2.75 },
    "the load generator itself was late by 0.310 ms in its 99th percentile, which is part of the 2.75 ms of the latency",
  ],
  [
    { code: "window-short", trials: 2, seconds: 2.5, late: 0.12 },
    "the window was short: 12% of the requests came only after its 2.50 s, and the rate may be off by as much: use a longer --duration (worst of 2 trials)",
  ],
  [
    { code: "overloaded", trials: 3, rate: 1800, achievedRate: 1450 },
    "it did not keep up: 1,450 of 1,800 requests per second were sent (worst of 3 trials), so latencies grow with the length of the trial",
  ],
  [
    { code: "tail-too-short", load: 0.87, requests: 4000, bias: 0.14, seconds: 37, even: false },
    "trials of 4,000 requests are short for a 99th percentile at 87% of the server's capacity: it is too low by about 14%; take a --duration of 37 or more",
  ],
  [
    { code: "tail-too-short", load: 0.87, requests: 4000, bias: 0.14, seconds: 37, even: true },
    "trials of 4,000 requests are short for a 99th percentile at 87% of the server's capacity: if requests came at random, it were too low by about 14%; take a --duration of 37 or more",
  ],
  [
    { code: "connections-short", trials: 4, concurrency: 20, waited: 230, sent: 1900 },
    "230 of 1,900 requests found all 20 connections busy when they were due (worst of 4 trials): latencies hold the wait for one; a higher --concurrency shows the server's queue alone",
  ],
  [
    { code: "shared-cpus", cpus: 2, busyCpus: 1.87 },
    "server and generator shared 2 CPUs and kept 1.87 busy: what one used the other lacked, so compare the CPU per request too",
  ],
  [
    { code: "disturbed", trials: 3, requestsPerSecond: 7100, median: 9300 },
    "3 trials far from the others (7,100 requests per second, the median is 9,300): something else may have run beside it, or the server stalled",
  ],
];

const test = suite("diagnostics in words");

test("why a cell is invalid", () => {
  for (const [reason, text] of reasons) assert.is(reasonText(reason), text);
});

test("what a reader must know of a valid one", () => {
  for (const [warning, text] of warnings) assert.is(warningText(warning), text);
});

test.run();
