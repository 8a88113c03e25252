import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { reactor } from "../../src/reactor/reactor.js";
import type { Metrics } from "../../src/shared/stats/metrics.js";
import { mirrorPath } from "../../src/stats-mirror/format.js";
import { MirrorWriter } from "../../src/stats-mirror/writer.js";
import { describe, uniformState } from "../stats-mirror/states.js";
import { loopool } from "../support/cli.js";
import { withMirroredServer } from "../support/mirrored-server.js";

const test = suite("loopool stats");

/** No server of the tests is there: those take ports that the system gives, from 32768 on. */
const PORT = "1023";
const path = mirrorPath(Number(PORT));

test("--once shows the metrics and ends; --json --once is what /stats.json says", async () => {
  await withMirroredServer(reactor, async ({ url, port }) => {
    for (let i = 0; i < 9; i++) await (await fetch(`${url}/absent`)).text();
    const json = await loopool("stats", "--port", String(port), "--once", "--json").ended;
    assert.is(json.code, 0, json.errors);
    const metrics = JSON.parse(json.output) as Metrics;
    assert.is(metrics.requests, 9);
    assert.equal(metrics.status, { "404": 9 });
    assert.equal(Object.keys(metrics), Object.keys((await (await fetch(`${url}/stats.json`)).json()) as Metrics));

    const { code, output } = await loopool("stats", "--port", String(port), "--once").ended;
    assert.is(code, 0);
    assert.match(output, /^loopool reactor {3}pid \d+ {3}up .+\n/);
    assert.match(output, /responses +2xx 1 {3}3xx 0 {3}4xx 9 {3}5xx 0\n +200 1 {3}404 9 {3}500 0\n/);
    assert.is(output.includes("\x1b"), false, "no terminal, no control characters");
  });
});

test("goes on with rates until the server ends, and says that it has", async () => {
  let watching: ReturnType<typeof loopool> | undefined;
  await withMirroredServer(reactor, async ({ url, port }) => {
    watching = loopool("stats", "--port", String(port), "--interval", "0.1");
    await watching.written(/requests\/s +–/);
    for (let i = 0; i < 5; i++) await (await fetch(`${url}/hello`)).text();
    await watching.written(/requests\/s +\d+ +total 5.*latency +(p50|nothing)/s);
  });
  const { code, errors } = await watching!.ended;
  assert.is(errors, `loopool: the server with pid ${process.pid} has ended\n`);
  assert.is(code, 1);
});

test("--json writes a line for each reading, and a reader that goes away ends it", async () => {
  await withMirroredServer(reactor, async ({ port }) => {
    const lines = execFileSync(
      "sh",
      ["-c", '"$0" "$1" stats --json --interval 0.1 --port "$2" | head -n 3'].concat([
        process.execPath,
        new URL("../../src/cli/main.js", import.meta.url).pathname,
        String(port),
      ]),
    );
    const readings = String(lines)
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Metrics);
    assert.is(readings.length, 3);
    assert.ok(readings[2]!.uptimeMicros > readings[0]!.uptimeMicros);
  });
});

test("without a server: one line that says where it looked, exit code 1", async () => {
  rmSync(path, { force: true });
  const { code, errors, output } = await loopool("stats", "--port", PORT).ended;
  assert.match(
    errors,
    new RegExp(`^loopool: no server shows its stats for port ${PORT} \\(there is no ${path}\\): .*--port.*\\n$`),
  );
  assert.is(code, 1);
  assert.is(output, "");
});

test("what a killed server has left, what is no mirror, and what another version wrote are told apart", async () => {
  const ended = loopool("--version");
  const pid = ended.process.pid!;
  await once(ended.process, "exit");
  // A server that starts anywhere on this machine removes such a file: then it is left once more.
  let reported = "";
  for (let attempt = 0; attempt < 20 && !reported.includes("was left by"); attempt++) {
    const stale = MirrorWriter.create(path, { ...describe(), pid, startTicks: 1 }, uniformState(1));
    reported = (await loopool("stats", "--port", PORT).ended).errors;
    stale.close();
  }
  assert.match(reported, `was left by a server that has ended (pid ${pid})`);
  try {
    writeFileSync(path, "something else");
    assert.match((await loopool("stats", "--port", PORT).ended).errors, "is no mirror of loopool's stats");
  } finally {
    rmSync(path);
  }
  const other = { ...describe(), phasesLayout: { ...describe().phasesLayout, cellsPerDoubling: 8 } };
  const later = MirrorWriter.create(path, other, uniformState(1));
  try {
    assert.match((await loopool("stats", "--port", PORT).ended).errors, "was written by another version of loopool");
  } finally {
    later.close();
  }
});

test("metrics that nobody renews are shown as old", async () => {
  const writer = MirrorWriter.create(path, describe(), uniformState(1));
  try {
    assert.match((await loopool("stats", "--port", PORT, "--once").ended).output, /These metrics are \d+\.\d s old/);
  } finally {
    writer.close();
  }
});

for (const [args, message] of [
  [["--port", "0"], /--port must be a whole number from 1 to 65535/],
  [["--interval", "0"], /--interval must be a number of seconds from 0\.1 to 3600, not "0"/],
  [["--interval", "x"], /--interval must be a number of seconds/],
  [["--nonsense"], /nonsense/],
] as const) {
  test(`stats ${args.join(" ")}: one line, exit code 2`, async () => {
    const { code, errors } = await loopool("stats", ...args).ended;
    assert.match(errors, message);
    assert.is(code, 2);
  });
}

test.run();
