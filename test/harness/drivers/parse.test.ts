import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parseAb } from "../../../src/harness/drivers/ab.js";
import { parseAutocannon } from "../../../src/harness/drivers/autocannon.js";
import { logged, parseH2load } from "../../../src/harness/drivers/h2load.js";
import { latencyOf, meanGrainOf, meanOf } from "../../../src/harness/drivers/latency.js";
import { parseOha } from "../../../src/harness/drivers/oha.js";
import type { Reported } from "../../../src/harness/drivers/tool-result.js";
import { parseWrk } from "../../../src/harness/drivers/wrk.js";
import { asked, ended, recorded } from "./reports.js";

/** The classes of errors that were found. */
const errorsOf = ({ errors }: Reported): Record<string, number> =>
  Object.fromEntries(Object.entries(errors).filter(([, count]) => count !== 0));
const close = (found: number, expected: number, share: number): boolean =>
  Math.abs(found - expected) <= share * expected;

const wrk = suite("wrk's report");
const wrkAsked = asked({ requests: Number.POSITIVE_INFINITY, durationMs: 1000, concurrency: 4 });

wrk("counts and whole histogram, without the latencies that wrk added", () => {
  const output = recorded("wrk.txt");
  const { reported, output: own, lost } = parseWrk(ended(output), wrkAsked);
  const [, requests, read] = /(\d+) requests in [\d.]+s, ([\d.]+)MB read/.exec(output)!;
  assert.is(reported.completed, Number(requests));
  assert.equal(errorsOf(reported), {});
  assert.ok(close(reported.totalBytes!, Number(read) * 2 ** 20, 0.01));
  assert.ok(
    close(reported.completed / reported.elapsedSeconds, Number(/^Requests\/sec: +([\d.]+)/m.exec(output)![1]), 1e-4),
  );
  assert.is(lost, null);
  assert.not.match(own, /loopool/);
  assert.match(own, /Transfer\/sec: .*\n$/);

  const total = latencyOf(reported.latency.total!);
  assert.is(total.count, reported.completed);
  assert.is(reported.latency.total, reported.latency.processing);
  // What is added lies below what was recorded, so the longest stays.
  assert.is(total.max, Number(/,(\d+),\d+\]\}\n$/.exec(output)![1]) * 1000);
  // wrk's own histogram puts more requests under way than there were connections; taken back, Little's law holds.
  const underWay = (meanNs: number): number => ((meanNs / 1e9) * reported.completed) / reported.elapsedSeconds;
  const printed = Number(/Latency +([\d.]+)us/.exec(output)![1]) * 1000;
  assert.ok(underWay(printed) > 4, "the fixture is of no use");
  assert.ok(underWay(total.mean) <= 4, String(underWay(total.mean)));
});

wrk("responses outside 2xx are no successes and have no latencies", () => {
  const { reported } = parseWrk(ended(recorded("wrk-500.txt")), wrkAsked);
  assert.is(reported.completed, 0);
  assert.ok(reported.errors["unexpected-status"]! > 1000);
  assert.is(reported.latency.total, null);
});

wrk("of both kinds, latencies are left out and the reason is reported", () => {
  const output = recorded("wrk.txt").replace('"status":0', '"status":3');
  const { reported, lost } = parseWrk(ended(output), wrkAsked);
  assert.is(reported.errors["unexpected-status"], 3);
  assert.is(reported.latency.total, null);
  assert.match(lost!, /mixes those of unexpected statuses/);
});

wrk("late responses are timeouts, not successes", () => {
  const output = recorded("wrk.txt");
  const requests = Number(/"requests":(\d+)/.exec(output)![1]);
  const late = output
    .replace(`"requests":${requests}`, `"requests":${requests + 5}`)
    .replace('"timeout":0', '"timeout":5');
  const { reported } = parseWrk(ended(late), wrkAsked);
  assert.is(reported.completed, requests);
  assert.equal(errorsOf(reported), { timeout: 5 });
});

wrk("closed connections are socket errors", () => {
  const { reported } = parseWrk(ended(recorded("wrk-closed.txt")), wrkAsked);
  assert.is(reported.completed, 0);
  assert.is(reported.errors["socket-error"], Number(/read (\d+)/.exec(recorded("wrk-closed.txt"))![1]));
});

wrk("without keep-alive the total is not reported: wrk leaves out the time to connect", () => {
  const { reported } = parseWrk(ended(recorded("wrk.txt")), { ...wrkAsked, keepAlive: false });
  assert.is(reported.latency.total, null);
  assert.ok(reported.latency.processing);
});

wrk("no report: what it said is the error", () => {
  const refused = ended("", "unable to connect to 127.0.0.1:1 Connection refused\n", 1);
  assert.throws(() => parseWrk(refused, wrkAsked), /wrk says "unable to connect .* refused": does a server listen/);
  assert.throws(
    () => parseWrk(ended("", "out of luck\n", 2), wrkAsked),
    /wrk ended with code 2 and no report: out of luck/,
  );
});

wrk.run();

const ab = suite("ab's report");
const abAsked = asked({ requests: 2000 });

ab("counts, bytes, the server, and percentiles to the microsecond", () => {
  const reported = parseAb(ended(recorded("ab.txt")), recorded("ab.csv"), abAsked);
  assert.is(reported.completed, 2000);
  assert.equal(errorsOf(reported), {});
  assert.equal([reported.serverSoftware, reported.documentBytes, reported.keepAliveResponses], ["x/1", 12, 2000]);
  assert.is(reported.bodyBytes, 2000 * 12);
  const total = latencyOf(reported.latency.total!);
  const p = (percentile: number): number =>
    Number(new RegExp(`^${percentile},([\\d.]+)$`, "m").exec(recorded("ab.csv"))![1]) * 1e6;
  for (const percentile of [50, 66, 75, 80, 90, 95, 98, 99])
    assert.is(total.valueAtPercentile(percentile), p(percentile));
  assert.equal([total.min, total.max], [p(0), p(100)]);
  assert.ok(Number.isNaN(total.valueAtPercentile(99.9)), "ab does not tell it");
  assert.is(meanGrainOf(reported.latency.total!), 1e6);
  assert.is(meanOf(reported.latency.total!) % 1e6, 0);
  assert.is(latencyOf(reported.latency.connect!).max % 1e6, 0);
});

ab("errors by status are complete requests to ab, and no success", () => {
  const reported = parseAb(ended(recorded("ab-500.txt")), "", asked());
  assert.match(recorded("ab-500.txt"), /^Complete requests: +200$/m);
  assert.is(reported.completed, 0);
  assert.equal(errorsOf(reported), { "unexpected-status": 200 });
  assert.is(reported.latency.total, null);
});

ab("connections closed without an answer are complete requests without a failure to ab, and no success", () => {
  assert.match(recorded("ab-closed.txt"), /^Failed requests: +0$/m);
  const reported = parseAb(ended(recorded("ab-closed.txt")), "", asked({ requests: 20 }));
  assert.is(reported.completed, 0);
  assert.equal(errorsOf(reported), { "closed-early": 20 });
});

ab("refused connections are counted in several classes by ab, and once here", () => {
  const reported = parseAb(ended(recorded("ab-refused.txt")), "", asked({ requests: 20 }));
  assert.equal([reported.completed, errorsOf(reported)], [0, { "socket-error": 20 }]);
});

ab("bodies of another length are failures", () => {
  const report = recorded("ab.txt").replace(
    /^Failed requests: +0$/m,
    "Failed requests:        7\n   (Connect: 0, Receive: 0, Length: 7, Exceptions: 0)",
  );
  const reported = parseAb(ended(report), recorded("ab.csv"), abAsked);
  assert.equal([reported.completed, errorsOf(reported)], [1993, { "wrong-length": 7 }]);
  assert.is(reported.latency.total, null, "ab mixes their latencies in");
});

ab("no report: what it said is the error", () => {
  assert.throws(
    () => parseAb(ended("Benchmarking …", "apr_socket_recv: Connection reset by peer (104)", 104), "", abAsked),
    /ab ended with code 104 and no report: apr_socket_recv/,
  );
});

ab.run();

const h2load = suite("h2load's report");
const lines = (name: string): readonly string[] =>
  recorded(name)
    .split("\n")
    .filter((line) => line !== "");

h2load("counts, bytes, and the latencies of its log", async () => {
  const reported = parseH2load(ended(recorded("h2load.txt")), await logged(lines("h2load.tsv")), asked());
  assert.equal([reported.completed, errorsOf(reported), reported.bodyBytes], [200, {}, 2400]);
  const total = latencyOf(reported.latency.total!);
  const micros = lines("h2load.tsv").map((line) => Number(line.split("\t")[2]));
  assert.is(total.count, 200);
  assert.ok(close(total.mean, (micros.reduce((sum, value) => sum + value, 0) / 200) * 1000, 1e-9));
  assert.is(total.max, Math.max(...micros) * 1000);
  assert.ok(
    close(
      reported.completed / reported.elapsedSeconds,
      Number(/, ([\d.]+) req/.exec(recorded("h2load.txt"))![1]),
      1e-9,
    ),
  );
});

h2load("only 2xx responses have a latency", async () => {
  assert.is((await logged(["1\t200\t5", "2\t404\t6", "3\t302\t7", "4\t-1\t-1", "5\t204\t8"])).count, 2);
});

h2load("a response that was cut has a status of 200, and is no success", async () => {
  const report = recorded("h2load-short.txt");
  assert.match(report, /^status codes: 4 2xx/m);
  const reported = parseH2load(ended(report), await logged([]), asked({ requests: 20, concurrency: 4 }));
  assert.equal([reported.completed, errorsOf(reported)], [0, { "socket-error": 20 }]);
});

h2load("redirections and errors are no successes, though the former are to h2load", async () => {
  const report = recorded("h2load.txt")
    .replace("200 succeeded, 0 failed", "150 succeeded, 50 failed")
    .replace("200 2xx, 0 3xx, 0 4xx, 0 5xx", "100 2xx, 50 3xx, 0 4xx, 50 5xx");
  const reported = parseH2load(ended(report), await logged([]), asked());
  assert.equal([reported.completed, errorsOf(reported)], [100, { "unexpected-status": 100 }]);
});

h2load("requests that were under way at the end of the time are neither", async () => {
  const reported = parseH2load(
    ended(recorded("h2load-timed.txt")),
    await logged([]),
    asked({ requests: Number.POSITIVE_INFINITY, durationMs: 1000 }),
  );
  const [, started, done] = /(\d+) started, (\d+) done/.exec(recorded("h2load-timed.txt"))!.map(Number);
  assert.ok(started! > done!);
  assert.equal([reported.completed, errorsOf(reported)], [done, {}]);
  assert.is(reported.latency.total, null, "of a log that does not hold them");
});

h2load.run();

const autocannon = suite("autocannon's report");

autocannon("counts, bytes, and percentiles in whole milliseconds", () => {
  const report = JSON.parse(recorded("autocannon.txt"));
  const reported = parseAutocannon(ended(recorded("autocannon.txt")), asked({ requests: 2000 }));
  assert.equal([reported.completed, errorsOf(reported), reported.statusCounts], [2000, {}, { 200: 2000 }]);
  const total = latencyOf(reported.latency.total!);
  assert.equal(
    [50, 90, 97.5, 99, 99.999].map((percentile) => total.valueAtPercentile(percentile) / 1e6),
    [report.latency.p50, report.latency.p90, report.latency.p97_5, report.latency.p99, report.latency.p99_999],
  );
  assert.ok(Number.isNaN(total.valueAtPercentile(95)), "autocannon does not tell it");
  assert.ok(Number.isNaN(total.min), "autocannon's is the smallest above 0");
  assert.is(meanGrainOf(reported.latency.total!), 1e6);
});

autocannon("errors by status are no successes; one request per connection was under way at the end", () => {
  const report = JSON.parse(recorded("autocannon-500.txt"));
  const reported = parseAutocannon(
    ended(recorded("autocannon-500.txt")),
    asked({ requests: Number.POSITIVE_INFINITY, durationMs: 1000 }),
  );
  assert.ok(report.requests.sent > report.non2xx);
  assert.equal([reported.completed, errorsOf(reported)], [0, { "unexpected-status": report.non2xx }]);
  assert.is(reported.latency.total, null);
});

autocannon("closed connections are nothing to autocannon, and no success", () => {
  assert.is(JSON.parse(recorded("autocannon-closed.txt")).errors, 0);
  const reported = parseAutocannon(ended(recorded("autocannon-closed.txt")), asked({ requests: 20 }));
  assert.equal([reported.completed, errorsOf(reported)], [0, { "closed-early": 20 }]);
});

autocannon("timeouts are reported apart from its other errors", () => {
  const report = { ...JSON.parse(recorded("autocannon.txt")), errors: 5, timeouts: 2, "2xx": 1995 };
  const reported = parseAutocannon(ended(JSON.stringify(report)), asked({ requests: 2000 }));
  assert.equal(errorsOf(reported), { timeout: 2, "socket-error": 3 });
});

autocannon("no JSON: what it said is the error", () => {
  assert.throws(
    () => parseAutocannon(ended("", "Invalid URL", 1), asked()),
    /autocannon ended with code 1 .*: Invalid URL/,
  );
});

autocannon.run();

const oha = suite("oha's report");

oha("statuses outside 2xx, errors by message; what its deadline cut is neither", () => {
  const reported = parseOha(ended(recorded("oha.txt")), asked());
  assert.is(reported.completed, 90);
  assert.equal(errorsOf(reported), { "connect-refused": 3, timeout: 2, "socket-error": 1, "unexpected-status": 5 });
  assert.equal(reported.statusCounts, { 200: 90, 302: 2, 500: 3 });
  assert.is(reported.elapsedSeconds, 2);
});

oha(
  "percentiles are those of the successes; mean and extremes, of all responses, are left out where some were none",
  () => {
    const total = latencyOf(parseOha(ended(recorded("oha.txt")), asked()).latency.total!);
    assert.equal(
      [total.count, total.valueAtPercentile(50), total.valueAtPercentile(99.9)],
      [90, 1_100_000, 12_000_000],
    );
    assert.ok([total.mean, total.min, total.max, total.valueAtPercentile(80)].every(Number.isNaN));
    const good = recorded("oha.txt").replace('"302": 2, "500": 3', '"201": 5');
    const all = latencyOf(parseOha(ended(good), asked()).latency.total!);
    assert.equal([all.count, all.mean, all.min, all.max], [95, 1_100_000, 200_000, 12_000_000]);
  },
);

oha("nothing but refused connections", () => {
  const reported = parseOha(ended(recorded("oha-refused.txt")), asked());
  assert.equal([reported.completed, errorsOf(reported), reported.latency.total], [0, { "connect-refused": 5 }, null]);
});

oha.run();
