import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { SweepPlan, TrialResult } from "../../../src/harness/sweep/result.js";
import { runTrial } from "../../../src/harness/sweep/trial.js";
import { childrenOf } from "../../support/cli.js";
import { smallPlan } from "./fixture.js";

const behaviours = fileURLToPath(new URL("../../core/fixtures/behaviours.js", import.meta.url));
const piscinaServer = fileURLToPath(new URL("../../../bench/piscina/piscina-server.js", import.meta.url));
const generous = 60_000;
/** So few that burning costs nothing. */
const iterationsPerMicro = 1e-6;

/** One trial in block 3; whatever happens in it, no process of it may be left. */
async function trial(
  core: string,
  changes: Partial<SweepPlan>,
  timeoutMs = generous,
  signal = new AbortController().signal,
): Promise<TrialResult> {
  const plan = { ...smallPlan, ...changes };
  try {
    return await runTrial({ core, concurrency: 2, rate: null, block: 3 }, plan, iterationsPerMicro, timeoutMs, signal);
  } finally {
    if (process.platform === "linux") assert.equal(childrenOf(process.pid), []);
  }
}

const test = suite("trial");

for (const core of ["reactor", "pool"]) {
  for (const keepAlive of [true, false]) {
    test(`${core}, ${keepAlive ? "keep-alive" : "a connection per request"}: the window's requests and no others are counted`, async () => {
      const { run, server, failure, block, concurrency } = await trial(core, { keepAlive });
      assert.is(failure, null);
      assert.equal([block, concurrency, run!.concurrency, run!.keepAlive], [3, 2, 2, keepAlive]);
      assert.equal([run!.requested, run!.sent, run!.completed], [20, 20, 20]);
      assert.is(server!.requests, 20);
      assert.equal([server!.shed, server!.handlerErrors, server!.aborted], [0, 0, 0]);
      assert.ok(server!.elapsedMicros >= run!.elapsedSeconds * 1e6, "the readings lie around the window");
      assert.ok(server!.peakRssBytes > 10 * 2 ** 20);
    });
  }
}

test("a core that is not loopool's own is measured as its own are", async () => {
  const piscina = () => [piscinaServer];
  const { signal } = new AbortController();
  const planned = { core: "piscina", concurrency: 2, rate: null, block: 0 };
  const { run, server, failure } = await runTrial(planned, smallPlan, iterationsPerMicro, generous, signal, piscina);
  assert.is(failure, null);
  assert.equal([run!.completed, server!.requests, server!.handlerErrors], [20, 20, 0]);
  if (process.platform === "linux") assert.equal(childrenOf(process.pid), []);
});

test("fast and slow answers of /mixed are told apart", async () => {
  const { run } = await trial("reactor", { path: "/mixed?slow=0.5", warmupRequests: 0 });
  const { f: fast, s: slow } = run!.totalByFirstByte;
  assert.ok(fast!.count > 0 && slow!.count > 0);
  assert.is(fast!.count + slow!.count, 20);
});

test("what the server refuses or its handlers throw is in both accounts", async () => {
  const { run, server } = await trial("reactor", { handlers: behaviours, path: "/throws", warmupRequests: 0 });
  assert.is(run!.errors["unexpected-status"], 20);
  assert.equal([server!.requests, server!.handlerErrors], [20, 20]);
});

test("the server burns by the sweep's calibration, not by one of its own", async () => {
  const { run, failure } = await trial("reactor", { path: "/cpu?us=1000000" }, 15_000);
  assert.is(failure, null);
  assert.is(run!.completed, 20);
});

test("the path goes to the server as it is, also one that looks like a host", async () => {
  const { run, failure } = await trial("reactor", { path: "//hello?a=%20b" });
  assert.is(failure, null);
  assert.is(run!.path, "//hello?a=%20b");
});

for (const [when, warmupRequests] of [
  ["in the warm-up", 4],
  ["in the window", 0],
] as const) {
  test(`a server that dies ${when} is a failure that says how, and its generator is ended`, async () => {
    const { run, server, failure } = await trial("reactor", { handlers: behaviours, path: "/exits", warmupRequests });
    assert.equal([run, server], [null, null]);
    assert.match(failure!, /stats\.json cannot be read \(.*\); the server ended with code 7$/);
  });
}

test("a server that does not start is a failure in its own words", async () => {
  const { failure } = await trial("reactor", { workers: 0 });
  assert.match(failure!, /^before it listened the server ended with code 2: loopool: --workers must be/);
});

test("a trial that takes too long is a failure that names the remedy", async () => {
  const { failure } = await trial("pool", { path: "/sleep?ms=60000" }, 1500);
  assert.match(failure!, /^it took longer than 1\.5 s: allow more with --trial-timeout/);
});

test("an interrupted trial has no result", async () => {
  const interruption = new AbortController();
  const interrupted = trial("reactor", { path: "/sleep?ms=60000" }, generous, interruption.signal);
  interruption.abort();
  await interrupted.then(
    () => assert.unreachable("it has a result"),
    () => {},
  );
});

test.run();
