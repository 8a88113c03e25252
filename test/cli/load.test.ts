import { suite } from "uvu";
import * as assert from "uvu/assert";
import { requestsPerSecond } from "../../src/harness/drivers/rate.js";
import type { ToolResult } from "../../src/harness/drivers/result.js";
import type { RunResult } from "../../src/harness/load/result/run-result.js";
import { childrenOf, isAlive, loopool } from "../support/cli.js";
import { withServer } from "../support/server.js";

const test = suite("loopool load");

test("prints ab's report, and its counts are the server's", async () => {
  await withServer({ mode: "reactor" }, async ({ url, stats }) => {
    const { code, output, errors } = await loopool("load", "-n", "500", "-c", "20", "-k", `${url}/hello`).ended;
    assert.is(code, 0, errors);
    assert.match(output, /^Complete requests: {6}500$/m);
    assert.match(output, /^Failed requests: {8}0$/m);
    assert.match(output, /^Keep-Alive requests: {4}500$/m);
    assert.is((await stats()).requests, 501);
  });
});

test("--warmup requests are sent and not counted; --json gives the whole result", async () => {
  await withServer({ mode: "reactor" }, async ({ url, stats }) => {
    const { output } = await loopool(
      "load",
      "--json",
      "--warmup",
      "100",
      "-n",
      "200",
      "--no-keep-alive",
      `${url}/hello`,
    ).ended;
    const result = JSON.parse(output) as RunResult;
    assert.equal([result.completed, result.sent, result.keepAlive], [200, 200, false]);
    assert.is((await stats()).requests, 301);
  });
});

test("a server that answers 505 to everything is not a success", async () => {
  await withServer({ mode: "reactor" }, async ({ url }) => {
    const { code, output, errors } = await loopool("load", "-n", "50", "-c", "5", `${url}/absent`).ended;
    assert.is(code, 1);
    assert.match(
      errors,
      /^loopool: http:\S+\/absent: no request succeeded \(unexpected-status 50, status 404 50 times\)$/m,
    );
    assert.match(output, /^Non-2xx responses: {6}50$/m);
    assert.match(output, /^Errors by class: unexpected-status 50$/m);
    assert.not.match(output, /Percentage of the requests/);
  });
});

const mistakes: readonly (readonly [args: string[], message: RegExp])[] = [
  [["ftp://localhost/"], /http:\/\/, https:\/\/ and unix: can be measured, not ftp:\/\//],
  [["nonsense"], /"nonsense" is not a URL/],
  [["-n", "5", "-c", "6", "http://localhost/"], /--concurrency 6 is more than --requests 5/],
  [["-c", "0", "http://localhost/"], /--concurrency must be a whole number from 1/],
  [["--threads", "0", "http://localhost/"], /--threads must be a whole number from 1 to 64/],
  [["--threads", "4", "-c", "3", "http://localhost/"], /--threads 4 is more than --concurrency 3/],
  [["-t", "0", "http://localhost/"], /--duration must be a number from 0\.001/],
  [["-t", "x", "http://localhost/"], /--duration must be a number/],
  [["-R", "-5", "http://localhost/"], /--rate must be a number from 0\.001/],
  [["--timeout", "0", "http://localhost/"], /--timeout must be a number/],
  [["--warmup", "xs", "http://localhost/"], /--warmup must be a whole number/],
  [["--warmup", "0s", "http://localhost/"], /--warmup must be a number from 0\.001/],
  [["--sha256", "abc", "http://localhost/"], /--sha256 must be 64 hexadecimal digits/],
  [["--local-address", "localhost", "http://localhost/"], /--local-address must be an IP address/],
  [["-H", "a: b\r\nc: d", "http://localhost/"], /--header .* is not "Name: value"/],
  [["-H", "Host: x", "http://localhost/"], /--header Host is written by the generator/],
  [["http://u:p@localhost/"], /credentials/],
  [[], /name the URL to load/],
];

for (const [args, message] of mistakes) {
  test(`load ${JSON.stringify(args)}: one line, exit code 2`, async () => {
    const { code, errors } = await loopool("load", ...args).ended;
    assert.match(errors, message);
    assert.is(errors.trim().split("\n").length, 1, errors);
    assert.is(code, 2);
  });
}

test("nothing listening is a failure that names the URL", async () => {
  let freed = "";
  await withServer({ mode: "reactor" }, async ({ url }) => {
    freed = url;
  });
  const { code, errors } = await loopool("load", "-n", "50", "-c", "5", freed).ended;
  assert.is(code, 1);
  assert.match(errors, /connection refused 50 times/);
});

test("Ctrl-C prints what has been measured so far", async () => {
  await withServer({ mode: "reactor" }, async ({ url, stats }) => {
    const load = loopool("load", "-n", "1000000", "-c", "2", `${url}/sleep?ms=5`);
    while ((await stats()).inFlight < 2) {}
    load.process.kill("SIGINT");
    const { code, output } = await load.ended;
    assert.is(code, 130);
    assert.match(output, /^Complete requests: +\d+$/m);
    assert.match(output, /^Interrupted after \d+ of 1000000 requests$/m);
  });
});

test("--rate and --duration: an open loop, with ab's report and what its schedule was worth", async () => {
  await withServer({ mode: "reactor" }, async ({ url, stats }) => {
    const { code, output, errors } = await loopool("load", "-R", "200", "-t", "0.5", "-c", "5", `${url}/hello`).ended;
    assert.is(code, 0, errors);
    assert.match(output, /^Complete requests: {6}100$/m);
    assert.match(output, /^Rate asked for: {9}200 \[#\/sec\]$/m);
    assert.match(output, /^Rate achieved: {10}[\d.]+ \[#\/sec\]$/m);
    assert.match(output, /^Largest lag: {12}[\d.]+ \[ms\] behind schedule$/m);
    assert.is((await stats()).requests, 101);
  });
});

test("--warmup by time is sent and not counted, and the seconds are those of the window", async () => {
  await withServer({ mode: "reactor" }, async ({ url, stats }) => {
    const flags = ["--json", "--warmup", "0.2s", "-n", "100", "-c", "5", "--verify"];
    const { output } = await loopool("load", ...flags, `${url}/hello`).ended;
    const result = JSON.parse(output) as RunResult;
    assert.equal([result.completed, result.sent, result.requested], [100, 100, 100]);
    assert.ok((await stats()).requests > 105, "more than the window's");
    assert.is(
      result.perSecond!.reduce((sum, { completed }) => sum + completed, 0),
      100,
    );
    assert.match(result.bodySha256!, /^[0-9a-f]{64}$/);
  });
});

test("--threads: the same report and the same counts, over as many connections", async () => {
  await withServer({ mode: "reactor" }, async ({ url, stats }) => {
    const flags = ["--threads", "2", "--json", "-n", "301", "-c", "5", "--warmup", "20", "--verify"];
    const { code, output, errors } = await loopool("load", ...flags, `${url}/hello`).ended;
    assert.is(code, 0, errors);
    const result = JSON.parse(output) as RunResult;
    assert.equal([result.completed, result.sent, result.peakConnections], [301, 301, 5]);
    assert.is(result.generator.threads, 2);
    assert.is((await stats()).requests, 322);
  });
});

for (const threads of ["1", "2"]) {
  test(`Ctrl-C before the server answers at all ends --threads ${threads}, and what was under way is interrupted`, async () => {
    await withServer({ mode: "reactor" }, async ({ url, stats }) => {
      const flags = ["--threads", threads, "--json", "-t", "600", "-c", "4"];
      const load = loopool("load", ...flags, `${url}/never`);
      while ((await stats()).inFlight < 4) {}
      load.process.kill("SIGINT");
      const { code, output } = await load.ended;
      assert.is(code, 130);
      const result = JSON.parse(output) as RunResult;
      assert.equal([result.completed, result.sent, result.errors.interrupted], [0, 4, 4]);
    });
  });
}

test("a body that is not the one asked for: none is a success", async () => {
  await withServer({ mode: "reactor" }, async ({ url }) => {
    const { output } = await loopool("load", "-n", "20", "-c", "2", "--sha256", "0".repeat(64), `${url}/hello`).ended;
    assert.match(output, /^Errors by class: wrong-body 20$/m);
    assert.not.match(output, /Percentage of the requests/);
  });
});

test("no local address to connect from: the remedy is named", async () => {
  await withServer({ mode: "reactor" }, async ({ url }) => {
    const { errors } = await loopool("load", "-n", "20", "-c", "2", "--local-address", "203.0.113.1", url).ended;
    assert.match(errors, /20 connections found no local port: .*--local-address/);
  });
});

test("Ctrl-C in a run over a time says how far it came", async () => {
  await withServer({ mode: "reactor" }, async ({ url, stats }) => {
    const load = loopool("load", "-t", "600", "-c", "2", `${url}/sleep?ms=5`);
    while ((await stats()).inFlight < 2) {}
    load.process.kill("SIGINT");
    const { code, output } = await load.ended;
    assert.is(code, 130);
    assert.match(output, /^Interrupted after \d+\.\d of 600 seconds$/m);
  });
});

test("--rate auto measures the capacity, then an open loop at 50, 70 and 90% of it", async () => {
  await withServer({ mode: "reactor" }, async ({ url, stats }) => {
    const flags = ["--rate", "auto", "-c", "2", "-n", "200", "--json"];
    const { code, output, errors } = await loopool("load", ...flags, `${url}/sleep?ms=2`).ended;
    assert.is(code, 0, errors);
    const [closed, ...open] = output
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as RunResult);
    assert.is(closed!.loop, "closed");
    const capacity = requestsPerSecond(closed!);
    assert.equal(
      open.map(({ openLoop }) => openLoop!.rate),
      [0.5, 0.7, 0.9].map((share) => Number((share * capacity).toPrecision(2))),
    );
    assert.is((await stats()).requests, 4 * 200 + 1);
  });
  for (const flag of [["--hold"], ["--driver", "autocannon"], ["--csv", "x.csv"]]) {
    const { code, errors } = await loopool("load", "--rate", "auto", ...flag, "http://localhost:9/").ended;
    assert.equal([code, errors.trim().split("\n").length], [2, 1], errors);
  }
});

test("--driver: another generator's run in the same report, and its result as JSON", async () => {
  await withServer({ mode: "reactor" }, async ({ url, stats }) => {
    const flags = ["--driver", "autocannon", "-n", "200", "-c", "4", "--warmup", "50"];
    const { code, output, errors } = await loopool("load", ...flags, `${url}/hello`).ended;
    assert.is(code, 0, errors);
    assert.match(output, /^Complete requests: {6}200$/m);
    assert.match(output, /^ {2}99% +\d+\.000$/m);
    assert.not.match(output, /Keep-Alive requests|HTML transferred|^ {2}95%/m, "it does not tell these");
    assert.match(output, /^Sent by autocannon \d+\.\d+\.\d+: .*--amount 200 /m);
    assert.is((await stats()).requests, 251);
    const json = await loopool("load", "--json", ...flags, `${url}/absent`).ended;
    const result = JSON.parse(json.output) as ToolResult;
    assert.equal([result.completed, result.errors["unexpected-status"]], [0, 200]);
    assert.is(result.tool.name, "autocannon");
  });
});

test("--driver with a flag that the tool cannot honour, or an unknown name: one line, exit code 2", async () => {
  for (const [flags, message] of [
    [["--driver", "wrk", "-n", "100"], /--driver wrk cannot stop after a number of requests: give --duration/],
    [["--driver", "autocannon", "--verify"], /leave out --verify/],
    [["--driver", "hey"], /--driver must be one of wrk, ab, h2load, autocannon, oha, not "hey"/],
  ] as const) {
    const { code, errors } = await loopool("load", ...flags, "http://localhost:9/").ended;
    assert.match(errors, message);
    assert.equal([code, errors.trim().split("\n").length], [2, 1]);
  }
});

test("Ctrl-C ends another generator, too", async () => {
  await withServer({ mode: "reactor" }, async ({ url, stats }) => {
    const load = loopool("load", "--driver", "autocannon", "-t", "600", "-c", "2", `${url}/sleep?ms=5`);
    while ((await stats()).inFlight < 2) {}
    const [tool] = childrenOf(load.process.pid!);
    load.process.kill("SIGINT");
    const { code, errors } = await load.ended;
    assert.is(code, 130);
    assert.match(errors, /was stopped: it left no result/);
    assert.not.ok(isAlive(tool!.pid));
  });
});

test.run();
