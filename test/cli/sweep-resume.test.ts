import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { checkConsent, checkSameFlags } from "../../src/cli/sweep-resume.js";
import { describeEnvironment } from "../../src/harness/sweep/environment.js";
import type { SweepPlan, SweepResult } from "../../src/harness/sweep/result.js";
import { LoopoolError } from "../../src/shared/errors.js";
import { packageRoot } from "../../src/shared/package-root.js";
import { plausibleSweep } from "../harness/report/fixture.js";
import { loopool } from "../support/cli.js";

const test = suite("loopool sweep --resume");
const folder = mkdtempSync(join(tmpdir(), "loopool-test-"));
test.after(() => rmSync(folder, { recursive: true, force: true }));

const unpinned = { server: null, generator: null, reason: "Nothing is pinned, as asked for (--pin none)." };

/** A result of which no trial has run, begun here. */
function begun(plan: Partial<SweepPlan>): SweepResult {
  const names = [...(plan.cores ?? ["reactor"])];
  const { plan: whole, ...sweep } = plausibleSweep({ rates: Object.fromEntries(names.map((name) => [name, 1000])) });
  const environment = describeEnvironment(packageRoot, { uws: "0", iterationsPerMicro: 1000 });
  const small = { concurrencies: [2], requests: 20, warmupRequests: 0, trials: 1, path: "/hello" };
  return {
    ...sweep,
    environment,
    finishedAt: null,
    trials: [],
    plan: { ...whole, ...small, pinning: unpinned, ...plan },
  };
}

function store(name: string, result: SweepResult): string {
  const file = join(folder, name);
  writeFileSync(file, JSON.stringify(result));
  return file;
}

function messageOf(action: () => void): string {
  try {
    action();
  } catch (error) {
    if (error instanceof LoopoolError && error.exitCode === 2) return error.message;
    throw error;
  }
  return "";
}

/** What a resume with these flags is told; nothing where it may run. */
function errorOf(result: SweepResult, argv: Readonly<Record<string, unknown>>): string {
  return messageOf(() => {
    checkSameFlags("a.json", result, argv);
    checkConsent("a.json", result, argv);
  });
}

test("code that the file names runs only when it is named again, and the message says how", async () => {
  const marker = join(folder, "it ran");
  const handlers = join(folder, "its handlers.mjs");
  writeFileSync(
    handlers,
    `import { writeFileSync } from "node:fs";
writeFileSync(${JSON.stringify(marker)}, "");
export const handlers = { "/hello": () => ({ status: 200, headers: {}, body: "hello" }) };
`,
  );
  const file = store("handlers.json", begun({ handlers }));
  const flags = ["sweep", "--resume", file, "--no-report"];
  const refused = await loopool(...flags).ended;
  assert.is(refused.code, 2);
  assert.is(refused.errors.trim().split("\n").length, 1);
  assert.ok(refused.errors.endsWith(`add --handlers '${handlers}'\n`), refused.errors);
  const other = await loopool(...flags, "--handlers", join(folder, "other.mjs")).ended;
  assert.is(other.code, 2);
  assert.match(other.errors, /--handlers is not as the sweep was begun/);
  assert.is(existsSync(marker), false, "nothing of it has run");

  const resumed = await loopool(...flags, "--handlers", handlers).ended;
  assert.is(resumed.code, 0, resumed.errors);
  assert.match(resumed.errors, new RegExp(`^This runs the handlers in ${handlers}\\.$`, "m"));
  assert.ok(existsSync(marker));
  const { trials } = JSON.parse(readFileSync(file, "utf8")) as SweepResult;
  assert.is(trials[0]?.run?.completed, 20);
});

test("a server that the file names is asked only when it is named again", async () => {
  let requests = 0;
  const server = createServer((_, response) => {
    requests++;
    response.end("hello");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as { readonly port: number }).port}/hello`;
  try {
    const file = store("target.json", begun({ cores: ["theirs"], targets: [{ name: "theirs", url }] }));
    const flags = ["sweep", "--resume", file, "--no-report"];
    const refused = await loopool(...flags).ended;
    assert.is(refused.code, 2);
    assert.ok(refused.errors.endsWith(`add --target theirs=${url}\n`), refused.errors);
    assert.is(requests, 0);
    const resumed = await loopool(...flags, "--target", `theirs=${url}`).ended;
    assert.is(resumed.code, 0, resumed.errors);
    assert.match(resumed.errors, `This sends requests to theirs at ${url}.`);
    assert.ok(requests >= 20);
  } finally {
    server.close();
  }
});

test("a sweep without any of these needs no flag beside --resume", () => {
  assert.is(errorOf(begun({ cores: ["reactor", "pool"] }), {}), "");
});

test("the flags that began it may be given again", () => {
  const targets = [{ name: "nginx", url: "http://127.0.0.1:8080/hello" }];
  const sweep = begun({
    cores: ["reactor", "nginx"],
    targets,
    concurrencies: [10, 100],
    handlers: join(folder, "h.mjs"),
    driver: "wrk",
    seconds: 2,
    trials: 12,
    until: { halfWidth: 0.03, maxTrials: 40, maxSeconds: 900 },
    control: { name: "reactor again", of: "reactor" },
    adapter: "node",
    workers: 3,
  });
  const same = {
    cores: "reactor",
    target: "nginx=http://127.0.0.1:8080",
    concurrency: "10, 100",
    handlers: join(folder, "h.mjs"),
    driver: "wrk",
    duration: "2",
    trials: "8",
    until: "3%",
    "max-trials": "40",
    "max-minutes": "15",
    path: "/hello",
    adapter: "node",
    workers: "3",
    seed: "1",
    threads: "1",
    pin: "auto",
    name: sweep.name,
    out: ".",
    aa: true,
    keepAlive: true,
  };
  assert.is(errorOf(sweep, same), "");
  const others: readonly (readonly [flag: string, value: unknown])[] = [
    ["cores", "pool"],
    ["target", "nginx=http://127.0.0.1:8081"],
    ["target", "apache=http://127.0.0.1:8080"],
    ["concurrency", "10"],
    ["concurrency", "100,10"],
    ["handlers", "h.mjs"],
    ["driver", "oha"],
    ["rate", "auto"],
    ["duration", "3"],
    ["trials", "16"],
    ["until", "4%"],
    ["max-trials", "41"],
    ["path", "/"],
    ["adapter", "uws"],
    ["workers", "1"],
    ["seed", "7"],
    ["pin", "0:1"],
    ["name", "other"],
    ["out", "elsewhere"],
    ["quick", true],
    ["keepAlive", false],
  ];
  for (const [flag, value] of others) {
    const name = flag === "keepAlive" ? "keep-alive" : flag;
    assert.match(
      errorOf(sweep, { ...same, [flag]: value, ...(flag === "quick" ? { concurrency: undefined } : {}) }),
      name === "quick" ? /--requests is not|--concurrency is not|--warmup is not/ : `--resume a.json: --${name}`,
      `${flag} ${value}`,
    );
  }
  assert.match(
    errorOf({ ...sweep, plan: { ...sweep.plan, keepAlive: true } }, {}),
    /add --handlers .* --target nginx=.* --driver wrk$/,
  );
});

test("open loops are compared by their rates", () => {
  const rates = [10, 20].flatMap((concurrency) =>
    [500, 1000].map((requestsPerSecond) => ({ concurrency, requestsPerSecond })),
  );
  const fixed = begun({ openLoop: { shares: null, rates, seconds: 2 } });
  assert.is(errorOf(fixed, { rate: "500,1000", duration: "2" }), "");
  assert.match(errorOf(fixed, { rate: "auto" }), "--rate is not as the sweep was begun (500,1000)");
  const auto = begun({ openLoop: { shares: [0.5], rates, seconds: 2 } });
  assert.is(errorOf(auto, { rate: "auto" }), "");
});

test("what this loopool does not have is not run", () => {
  assert.match(errorOf(begun({ cores: ["fork"] }), {}), 'there is no "fork" here');
  assert.match(errorOf(begun({ adapter: "nginx" }), {}), 'there is no "nginx" here');
  assert.match(errorOf(begun({ driver: "rm" }), { driver: "rm" }), 'there is no "rm" here');
  assert.match(errorOf(begun({ pinning: { ...unpinned, server: "0" } }), {}), "pins only one");
});

test.run();
