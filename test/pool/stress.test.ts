import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { CoreModule } from "../../src/core.js";
import { targetOf } from "../../src/harness/load/request/options.js";
import { errorClasses, type RunResult } from "../../src/harness/load/result/run-result.js";
import { run } from "../../src/harness/load/run/run.js";
import { pool } from "../../src/pool/pool.js";
import { StatusSegment } from "../../src/shared/stats/status-segment.js";
import type { WorkersView } from "../../src/shared/stats/worker-states.js";
import { type TestServer, withServer } from "../support/server.js";

/** Workers killed; LOOPOOL_TEST_KILLS=1000 is the long form. */
const kills = Number(process.env["LOOPOOL_TEST_KILLS"] ?? 100);
const QUEUE = 64;

function load(
  { url }: TestServer,
  path: string,
  requests: number,
  concurrency: number,
  signal?: AbortSignal,
): Promise<RunResult> {
  const target = targetOf(url + path);
  return run(
    { target, requests, concurrency, keepAlive: true, timeoutMs: 20_000, headers: [], byFirstByte: false },
    signal,
  );
}

/** Whole responses by status: nothing was reset, cut short or left unanswered. */
function allAnswered(result: RunResult): void {
  for (const name of errorClasses) {
    if (name === "unexpected-status" || name === "interrupted") continue;
    assert.is(result.errors[name], 0, name);
  }
}

const test = suite("pool under stress");

test(`${kills} workers killed under load: every request answered, only with 200 or 500, and the ring is whole`, async () => {
  let view: WorkersView | null = null;
  const watched: CoreModule = {
    ...pool,
    start: async (context) => {
      const core = await pool.start(context);
      view = core.workersView;
      return core;
    },
  };
  const use = async (server: TestServer): Promise<void> => {
    const stop = new AbortController();
    const beside = ["/hello", "/sleep?ms=2", "/microtask"].map((path) => load(server, path, 1e9, 8, stop.signal));
    const killed = await load(server, "/exits", kills, 1);
    assert.equal(killed.statusCounts, { 500: kills });
    let metrics = await server.stats();
    while (metrics.workersLost < kills || metrics.workers < 2) metrics = await server.stats();
    stop.abort();
    for (const result of await Promise.all(beside)) {
      allAnswered(result);
      assert.ok((result.statusCounts["200"] ?? 0) > 0);
      for (const status of Object.keys(result.statusCounts)) assert.ok(status === "200" || status === "500", status);
    }
    assert.is(metrics.workersLost, kills);

    // The clients stopped above left requests behind that still sleep in their slots: longer than they do, then all are free.
    await load(server, "/sleep?ms=100", 1, 1);
    // A slot that was lost would be missing now: as many requests as the ring has slots are in service at once.
    const { shed } = metrics;
    const full = await load(server, "/sleep?ms=100", QUEUE, QUEUE);
    assert.equal(full.statusCounts, { 200: QUEUE });
    const after = await server.stats();
    assert.is(after.shed, shed);
    assert.is(after.inFlight, 0);
    // What the killed workers took and did not count is made up for, and no more: one that is added is seen.
    const { status, workers } = view!;
    const segment = new StatusSegment(status, workers);
    assert.is(segment.queued(), 0);
    segment.enter();
    assert.is(segment.queued(), 1);
  };
  await withServer({ mode: "pool", workers: 2, queue: QUEUE }, use, {}, [watched]);
});

test("ten times more than fits: refused at once, the rest served, and all is as before when it ends", async () => {
  await withServer({ mode: "pool", workers: 1, queue: 16 }, async (server) => {
    const flood = await load(server, "/sleep?ms=5", 6000, 160);
    allAnswered(flood);
    const { 200: served = 0, 503: refused = 0 } = flood.statusCounts;
    assert.is(served + refused, 6000);
    assert.ok(served >= 16 && refused > 0);
    const after = await load(server, "/hello", 500, 10);
    assert.equal(after.statusCounts, { 200: 500 });
    const { shed, inFlight } = await server.stats();
    assert.is(shed, refused);
    assert.is(inFlight, 0);
  });
});

test("workers come and go with the load: no request pays for it", async () => {
  const elastic = { min: 1, max: 3 };
  await withServer(
    { mode: "pool", workers: elastic, queue: QUEUE, workerIdleMs: 50, iterationsPerMicro: 1000 },
    async (server) => {
      let largest = 0;
      for (let burst = 0; burst < 6; burst++) {
        const result = await load(server, "/cpu?us=2000", 300, 16);
        allAnswered(result);
        assert.equal(result.statusCounts, { 200: 300 });
        largest = Math.max(largest, (await server.stats()).workers);
        // Of the idle ones, just as they are retired: a request a time finds them at every step of that.
        for (let i = 0; i < 40; i++) assert.equal((await load(server, "/hello", 1, 1)).statusCounts, { 200: 1 });
      }
      assert.ok(largest > 1, "a backlog brings more workers");
      let { workers } = await server.stats();
      while (workers > elastic.min) ({ workers } = await server.stats());
      assert.is((await server.stats()).workersLost, 0);
    },
  );
});

test.run();
