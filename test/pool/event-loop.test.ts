import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { targetOf } from "../../src/harness/load/request/options.js";
import { run } from "../../src/harness/load/run/run.js";
import { loopool } from "../support/cli.js";
import { type TestServer, withServer } from "../support/server.js";

const background = fileURLToPath(new URL("./fixtures/background.js", import.meta.url));

/** A pool of one worker with the fixture's handlers. */
function withWorker(
  settings: { readonly requestTimeoutMs?: number; readonly queue?: number },
  use: (server: TestServer) => Promise<void>,
): Promise<void> {
  return withServer({ mode: "pool", workers: 1, handlers: background, ...settings }, use, { "stats.html": "the page" });
}

/** Ticks of the worker's interval since this was called, as a fraction of those due, after `whileBusy` of a second and more. */
async function tickShare({ url }: TestServer, busy: () => Promise<void>): Promise<number> {
  const look = async () => (await (await fetch(`${url}/ticks`)).json()) as { ticks: number; due: number };
  const before = await look();
  await busy();
  const after = await look();
  return (after.ticks - before.ticks) / (after.due - before.due);
}

const test = suite("the event loop of a worker");

// What share there is on a quiet machine, bench/worker-loop.ts measures; without an event loop it is 0.
const ENOUGH = 0.5;

test("an unref'd interval of the module ticks in a worker that is idle", async () => {
  await withWorker({}, async (server) => {
    const share = await tickShare(server, () => new Promise((resolve) => setTimeout(resolve, 1000)));
    assert.ok(share >= ENOUGH, `${share} of the ticks`);
  });
});

test("and in one that is saturated with synchronous handlers", async () => {
  await withWorker({}, async (server) => {
    const target = targetOf(`${server.url}/later`);
    const share = await tickShare(server, async () => {
      const options = { keepAlive: true, timeoutMs: 20_000, headers: [], byFirstByte: false };
      const { statusCounts } = await run({ target, requests: 20_000, concurrency: 50, ...options });
      assert.equal(statusCounts, { 200: 20_000 });
    });
    assert.ok(share >= ENOUGH, `${share} of the ticks`);
  });
});

test("what a synchronous handler leaves to a timer is done after its answer, without another request", async () => {
  await withWorker({}, async ({ url }) => {
    for (let round = 0; round < 3; round++) assert.is((await fetch(`${url}/answers-first`)).status, 200);
    for (;;) {
      const later = Number(await (await fetch(`${url}/later`)).text());
      if (later === 3) return;
    }
  });
});

test("all that handlers write to standard output arrives", async () => {
  const serve = loopool("serve", "--port", "0", "--mode", "pool", "--workers", "1", "--handlers", background);
  try {
    const [, url] = await serve.written(/(http:\/\/\S+)/);
    for (let line = 0; line < 8; line++) assert.is((await fetch(`${url}/logs?${line}`)).status, 200);
    for (let line = 0; line < 8; line++) await serve.written(new RegExp(`logged ${line}\n`));
  } finally {
    serve.process.kill();
    await serve.ended;
  }
});

test("a worker that has stopped taking requests is replaced, also when it holds none", async () => {
  await withWorker({ requestTimeoutMs: 1500 }, async ({ url, stats }) => {
    assert.is((await fetch(`${url}/hangs-afterwards`)).status, 200);
    // The first may be served before it hangs; what waits too long meanwhile is refused.
    while ((await stats()).workersLost === 0) {
      const { status } = await fetch(`${url}/later`);
      assert.ok(status === 200 || status === 503, String(status));
    }
    let status = 0;
    while (status !== 200) ({ status } = await fetch(`${url}/later`));
    const { workersLost, workers } = await stats();
    assert.equal([workersLost, workers], [1, 1]);
  });
});

test("a worker with as many promises that never settle as it may have is replaced", async () => {
  await withWorker({ requestTimeoutMs: 1500, queue: 2048 }, async ({ url, stats }) => {
    const target = targetOf(`${url}/never`);
    const options = { keepAlive: true, timeoutMs: 20_000, headers: [], byFirstByte: false };
    const { statusCounts } = await run({ target, requests: 1024, concurrency: 1024, ...options });
    assert.equal(statusCounts, { 504: 1024 });
    let status = 0;
    while (status !== 200) ({ status } = await fetch(`${url}/later`));
    assert.is((await stats()).workersLost, 1);
  });
});

test("what handlers post to the main thread themselves is ignored", async () => {
  await withWorker({}, async ({ url, stats }) => {
    for (let round = 0; round < 3; round++) assert.is((await fetch(`${url}/posts`)).status, 200);
    assert.is(await (await fetch(`${url}/later`)).text(), "0\n");
    assert.is((await stats()).workersLost, 0);
  });
});

test("the metrics are answered while every worker is stuck and the queue is full", async () => {
  await withWorker({ queue: 4 }, async ({ url }) => {
    const stop = new AbortController();
    const stuck = Array.from({ length: 4 }, () => fetch(`${url}/loops`, { signal: stop.signal }).catch(() => null));
    let status = 0;
    while (status !== 503) {
      const asked = fetch(`${url}/later`, { signal: AbortSignal.timeout(200) });
      ({ status } = await asked.catch(() => ({ status: 0 })));
    }
    const json = (await (await fetch(`${url}/stats.json`)).json()) as { workers: number };
    assert.is(json.workers, 1);
    const page = await fetch(`${url}/stats.html`);
    assert.equal([page.status, await page.text()], [200, "the page"]);
    stop.abort();
    await Promise.all(stuck);
  });
});

test("a handler that the user has put on a path of the metrics is run by a worker", async () => {
  await withWorker({}, async ({ url }) => {
    assert.is(await (await fetch(`${url}/metrics`)).text(), "the user's own metrics\n");
  });
});

test.run();
