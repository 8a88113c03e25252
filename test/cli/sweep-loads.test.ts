import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { ToolResult } from "../../src/harness/drivers/result.js";
import type { RunResult } from "../../src/harness/load/result/run-result.js";
import type { SweepResult } from "../../src/harness/sweep/result.js";
import { loopool } from "../support/cli.js";

const folder = mkdtempSync(join(tmpdir(), "loopool-test-"));
const folders = ["--out", join(folder, "results"), "--reports", join(folder, "reports")];
const small = ["--concurrency", "2", "--requests", "200", "--warmup", "20", "--trials", "2"];

/** A server of someone else, for as long as `use` takes; it counts what it is asked for. */
async function withTheirs(use: (origin: string, paths: string[]) => Promise<void>, status = 200): Promise<void> {
  const paths: string[] = [];
  const server: Server = createServer((request, response) => {
    paths.push(request.url ?? "");
    response.writeHead(status, { "Content-Length": 2 }).end("ok");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, paths);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function resultIn(output: string): SweepResult {
  return JSON.parse(readFileSync(/^Result: (.*)$/m.exec(output)?.[1] ?? "", "utf8")) as SweepResult;
}

const test = suite("sweep: targets and rates");

test("measures a server that is not ours side by side with a core", async () => {
  await withTheirs(async (origin, paths) => {
    const target = ["--cores", "reactor", "--target", `theirs=${origin}`, "--path", "/hello", "--name", "target"];
    const { code, output, errors } = await loopool("sweep", ...small, ...target, ...folders).ended;
    assert.is(code, 0, errors);
    const { plan, trials } = resultIn(output);
    assert.equal(plan.cores, ["reactor", "theirs"]);
    assert.equal(plan.targets, [{ name: "theirs", url: `${origin}/hello` }]);
    const theirs = trials.filter(({ core }) => core === "theirs");
    assert.is(theirs.length, 2);
    for (const { run, server, failure } of theirs) assert.equal([failure, server, run!.completed], [null, null, 200]);
    // One to see whether it answers, and for each trial its window and its warm-up.
    assert.is(paths.filter((path) => path === "/hello").length, 1 + 2 * 220);
    assert.match(output, /At c=2 the theirs serves/);
  });
});

test("measures servers that are not ours alone, each at its own path", async () => {
  await withTheirs(async (origin, paths) => {
    const targets = [
      "--cores",
      "none",
      "--target",
      `a=${origin}/a`,
      "--target",
      `b=${origin}/b?x=1`,
      "--name",
      "alone",
    ];
    const { code, output, errors } = await loopool("sweep", ...small, ...targets, ...folders).ended;
    assert.is(code, 0, errors);
    assert.equal(resultIn(output).plan.cores, ["a", "b"]);
    assert.match(resultIn(output).command, /--target a=http\S+ --target 'b=http/);
    assert.equal(new Set(paths), new Set(["/a", "/b?x=1"]));
  });
});

test("begins nothing against a server that does not answer, or not with success", async () => {
  let gone = "";
  await withTheirs(async (origin) => {
    gone = origin;
  });
  const nobody = await loopool("sweep", "--target", `theirs=${gone}`, ...folders).ended;
  assert.is.not(nobody.code, 0);
  assert.match(
    nobody.errors,
    /theirs does not answer at http:\S+ \(connect-refused\); no trial was run: start it, or correct --target/,
  );
  await withTheirs(async (origin) => {
    const { code, errors } = await loopool("sweep", "--target", `theirs=${origin}`, ...folders).ended;
    assert.is.not(code, 0);
    assert.match(errors, /with status 503.*, and only 2xx counts/);
  }, 503);
});

test("--rate auto measures the capacity first, then open loops at shares of it", async () => {
  const auto = [
    "--trials",
    "1",
    "--rate",
    "auto",
    "--duration",
    "0.3",
    "--path",
    "/sleep?ms=2",
    "--pin",
    "none",
    "--name",
    "auto",
  ];
  const { code, output, errors } = await loopool("sweep", ...small.slice(0, -2), ...auto, ...folders).ended;
  assert.is(code, 0, errors);
  const { plan, trials, finishedAt } = resultIn(output);
  assert.ok(finishedAt);
  assert.is(plan.openLoop?.rates.length, 3);
  assert.equal(
    trials.map(({ rate }) => rate === null),
    [...new Array(2).fill(true), ...new Array(6).fill(false)],
  );
  for (const { rate, run, server } of trials.slice(2)) {
    assert.is(run!.openLoop?.rate, rate);
    assert.is(run!.requested, Math.max(2, Math.round(rate! * 0.3)));
    assert.is(server!.requests, run!.sent, "the server's own count");
  }
  // Whatever the verdict is: on a busy machine the pacing may not do.
  assert.match(
    output,
    /At c=2, \d+\/s the (99th percentile of latency of the pool|pool and the reactor are not ranked)/,
  );
});

test("--duration ends trials by time, and --threads makes the generator several", async () => {
  const flags = ["--duration", "0.3", "--threads", "2", "--cores", "reactor", "--path", "/sleep?ms=2"];
  const load = ["--concurrency", "4", "--trials", "1", "--name", "timed"];
  const { code, output, errors } = await loopool("sweep", ...load, ...flags, ...folders).ended;
  assert.is(code, 0, errors);
  const { plan, trials } = resultIn(output);
  assert.equal([plan.seconds, plan.threads], [0.3, 2]);
  const [{ run, server } = trials[0]!] = trials;
  assert.is(run!.requestedSeconds, 0.3);
  assert.is(server!.requests, run!.sent, "the server's own count");
  assert.is((run as RunResult).generator.threads, 2);
});

test("--driver runs another load generator through the same plan and report", async () => {
  const flags = ["--driver", "autocannon", "--cores", "reactor", "--path", "/hello"];
  const { code, output, errors } = await loopool("sweep", ...small, ...flags, "--name", "driver", ...folders).ended;
  assert.is(code, 0, errors);
  const { plan, trials } = resultIn(output);
  assert.is(plan.driver, "autocannon");
  for (const { run, server } of trials) {
    assert.is((run as ToolResult).tool.name, "autocannon");
    assert.is(run!.completed, 200);
    assert.ok(server!.requests >= 200);
  }
  const report = readFileSync(/^Report: (.*)$/m.exec(output)?.[1] ?? "", "utf8");
  assert.match(report, /\| Load generator +\| +autocannon \d+\.\d+/);
  assert.match(report, /\| To know of autocannon +\|/);
});

test("refuses what contradicts itself, by the flag's name", async () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [["--target", "nginx"], /--target must be name=URL/],
    [["--target", "pool=http://127.0.0.1/"], /--target pool=… has the name of a core/],
    [["--target", "a=ftp://127.0.0.1/"], /http:\/\/, https:\/\/ and unix: can be measured/],
    [["--target", "a=http://127.0.0.1/", "--target", "a=http://127.0.0.1:2/"], /--target names "a" twice/],
    [["--cores", "none"], /--cores none leaves nothing to measure/],
    [["--rate", "fast"], /--rate must be a number/],
    [["--rate", "100,100"], /--rate names a value twice/],
    [["--duration", "3", "--requests", "1000"], /a trial ends after --requests or after --duration/],
    [["--threads", "11"], /--threads 11 is more than --concurrency 10/],
    [["--driver", "siege"], /--driver must be one of/],
    [["--driver", "wrk", "--requests", "1000"], /--driver wrk cannot stop after a number of requests: give --duration/],
    [["--driver", "wrk", "--duration", "0.5"], /--driver wrk takes --duration in steps of 1 s/],
    [["--driver", "autocannon", "--no-keep-alive"], /--driver autocannon cannot make a new connection/],
    [["--driver", "autocannon", "--rate", "5"], /--driver autocannon cannot send at fixed times/],
    [["--rate", "100", "--until", "3%"], /--until narrows the ratio of requests per second/],
  ];
  for (const [flags, message] of cases) {
    const { code, errors } = await loopool("sweep", ...flags, ...folders).ended;
    assert.is(code, 2, flags.join(" "));
    assert.match(errors, message);
    assert.is(errors.trimEnd().split("\n").length, 1, errors);
  }
});

test.after(() => rmSync(folder, { recursive: true }));

test.run();
