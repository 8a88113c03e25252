import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Histogram, type StoredHistogram } from "../../../src/harness/load/histogram/histogram.js";
import { targetOf } from "../../../src/harness/load/request/options.js";
import { type ErrorClass, noErrors, type RunResult } from "../../../src/harness/load/result/run-result.js";
import { run } from "../../../src/harness/load/run/run.js";
import { abReport } from "../../../src/harness/report/ab-text.js";

/** What ApacheBench 2.3 printed for `ab -q -k -n 1000 -c 10` against a server of node:http that answers 404, banner left out. */
const abOutput = `
Server Software:        x/1
Server Hostname:        127.0.0.1
Server Port:            18080

Document Path:          /404
Document Length:        12 bytes

Concurrency Level:      10
Time taken for tests:   0.142 seconds
Complete requests:      1000
Failed requests:        0
Non-2xx responses:      1000
Keep-Alive requests:    0
Total transferred:      107000 bytes
HTML transferred:       12000 bytes
Requests per second:    7050.30 [#/sec] (mean)
Time per request:       1.418 [ms] (mean)
Time per request:       0.142 [ms] (mean, across all concurrent requests)
Transfer rate:          736.70 [Kbytes/sec] received

Connection Times (ms)
              min  mean[+/-sd] median   max
Connect:        0    0   0.1      0       0
Processing:     0    1   1.1      1       8
Waiting:        0    1   1.1      1       8
Total:          0    1   1.1      1       8

Percentage of the requests served within a certain time (ms)
  50%      1
  66%      1
  75%      2
  80%      2
  90%      3
  95%      4
  98%      4
  99%      5
 100%      8 (longest request)
`;

/** A report without its figures: labels, units, order and the column at which values start. */
function form(report: string): string {
  return report.replace(/^([A-Z][^:\n]*: +)\S+( bytes| seconds)?$/gm, "$1…$2").replace(/ +\d+(\.\d+)?/g, " #");
}

function stored(...values: readonly number[]): StoredHistogram {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram.toStored();
}

/** Ten requests in 5 ms over two connections; what a test is about replaces the rest. */
function result(changes: Partial<RunResult> = {}, errors: Partial<Record<ErrorClass, number>> = {}): RunResult {
  const totals = Array.from({ length: 10 }, (_, index) => (index + 1) * 100_000);
  return {
    url: "http://localhost:9090/a?b=c",
    host: "localhost",
    port: 9090,
    path: "/a?b=c",
    loop: "closed",
    concurrency: 2,
    keepAlive: true,
    requested: 10,
    sent: 10,
    completed: 10,
    errors: { ...noErrors(), ...errors },
    statusCounts: { "200": 10 },
    keepAliveResponses: 9,
    peakConnections: 2,
    serverSoftware: "uWebSockets/20",
    documentBytes: 13,
    totalBytes: 1024,
    bodyBytes: 130,
    elapsedSeconds: 0.005,
    startedAt: "2026-11-21T00:00:00.000Z",
    latency: {
      connect: stored(0, 0, 0, 0, 0, 0, 0, 0, 50_000, 50_000),
      processing: stored(...totals),
      waiting: stored(...totals.map((value) => value / 2)),
      total: stored(...totals),
    },
    totalByFirstByte: {},
    generator: {
      cpuUserMicros: 1,
      cpuSystemMicros: 1,
      cpuShare: 0.1,
      eventLoopUtilization: 0.1,
      eventLoopDelayMaxMs: 0,
    },
    ...changes,
  };
}

const test = suite("ab report");

test("has ab's lines in ab's order, with ab's labels and units", async () => {
  const server = createServer((_, response) => response.setHeader("Server", "x/1").end("hello world\n"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const target = targetOf(`http://127.0.0.1:${port}/404`);
    const found = await run({
      target,
      requests: 50,
      concurrency: 5,
      keepAlive: true,
      timeoutMs: 9000,
      headers: [],
      byFirstByte: false,
    });
    const whole = abReport(found);
    const late = found.completed - found.window!.completed;
    const afterwards = whole.slice(whole.lastIndexOf("\n\n"));
    assert.match(
      afterwards,
      new RegExp(`^\n\nCompleted after the window: ${late}, the last \\d+\\.\\d{3} seconds after its end`),
    );
    const ours = form(whole.replace(afterwards, "\n")).replace(/ +(?=min|mean\[|median|max)/g, " ");
    const expected = form(abOutput.replace(/Non-2xx.*\n/, "")).replace(/ +(?=min|mean\[|median|max)/g, " ");
    assert.is(ours, expected);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

test("tells the figures of the result", () => {
  const report = abReport(result());
  for (const line of [
    "Server Software:        uWebSockets/20",
    "Server Port:            9090",
    "Document Path:          /a?b=c",
    "Document Length:        13 bytes",
    "Concurrency Level:      2",
    "Time taken for tests:   0.005 seconds",
    "Complete requests:      10",
    "Failed requests:        0",
    "Keep-Alive requests:    9",
    "Total transferred:      1024 bytes",
    "HTML transferred:       130 bytes",
    "Requests per second:    2000.00 [#/sec] (mean)",
    "Time per request:       1.000 [ms] (mean)",
    "Time per request:       0.500 [ms] (mean, across all concurrent requests)",
    "Transfer rate:          200.00 [Kbytes/sec] received",
  ]) {
    assert.ok(report.includes(`\n${line}\n`), line);
  }
  // 0.1 to 1.0 ms: mean 0.55, deviation of the sample √(0.825 / 9) = 0.303.
  assert.match(report, /\nTotal: +0\.100 +0\.550 +0\.303 +0\.500 +1\.000\n/);
  assert.match(report, /\nWaiting: +0\.050 +0\.275 +0\.151 +0\.250 +0\.500\n/);
  assert.match(report, /\nConnect: +0\.000 +0\.010 +0\.021 +0\.000 +0\.050\n/);
  assert.match(report, /\n {2}50% +0\.500\n {2}66% +0\.700\n {2}75% +0\.80\d\n/);
  assert.match(report, /\n 100% +1\.000 \(longest request\)\n$/);
});

test("failures are told in ab's four classes, and in our own", () => {
  const errors = {
    "connect-refused": 1,
    reset: 2,
    timeout: 3,
    "wrong-length": 4,
    malformed: 5,
    "unexpected-status": 6,
    "connect-timeout": 7,
    "not-sent": 8,
    "long-body": 9,
    "wrong-body": 10,
  };
  const report = abReport(result({ sent: 65, requested: 65 }, errors));
  assert.match(report, /\nFailed requests: {8}49\n {3}\(Connect: 16, Receive: 5, Length: 14, Exceptions: 14\)\n/);
  assert.match(report, /\nNon-2xx responses: {6}6\n/);
  assert.match(report, /\nComplete requests: {6}30\n/, "whole responses, the wrong ones included");
  const classes =
    "connect-refused 1, connect-timeout 7, not-sent 8, reset 2, timeout 3, long-body 9, wrong-length 4, wrong-body 10, " +
    "unexpected-status 6, malformed 5";
  assert.ok(report.endsWith(`\nErrors by class: ${classes}\n`), report);
});

test("a server that answers everything with an error is not called fast", () => {
  const empty = stored();
  const latency = { connect: empty, processing: empty, waiting: empty, total: empty };
  const report = abReport(result({ completed: 0, latency }, { "unexpected-status": 10 }));
  assert.match(report, /\nComplete requests: {6}10\n/);
  assert.match(report, /\nRequests per second: {4}0\.00 \[#\/sec\] \(mean\)\n/);
  assert.not.match(report, /Time per request|Connection Times|100%/);
});

test("keep-alive requests are told where keep-alive was asked for", () => {
  assert.not.match(abReport(result({ keepAlive: false, keepAliveResponses: 0 })), /Keep-Alive/);
});

test("a run that was stopped says how far it came", () => {
  const report = abReport(result({ requested: 100, sent: 12 }, { interrupted: 2 }));
  assert.match(report, /\nErrors by class: interrupted 2\n\nInterrupted after 12 of 100 requests\n$/);
});

test("an open loop: the mean is the latencies' own, and the schedule is told", () => {
  const openLoop = { rate: 2000, achievedRate: 1998.5, lag: stored(10_000, 2_500_000), pacing: stored(10_000, 40_000) };
  const report = abReport(result({ loop: "open", openLoop }));
  assert.match(report, /\nTime per request: {7}0\.550 \[ms\] \(mean\)\nTime per request: {7}0\.500 \[ms\]/);
  assert.match(report, /\nRate asked for: {9}2000 \[#\/sec\]\nRate achieved: {10}1998\.50 \[#\/sec\]\n/);
  assert.match(report, /\nLargest lag: {12}2\.500 \[ms\] behind schedule\nPacing error: {11}0\.040 \[ms\] /);
});

test("a run over a time that was stopped says how far it came", () => {
  const report = abReport(result({ requestedSeconds: 60, elapsedSeconds: 7.25 }, { interrupted: 1 }));
  assert.match(report, /\n\nInterrupted after 7\.3 of 60 seconds\n$/);
});

test.run();
