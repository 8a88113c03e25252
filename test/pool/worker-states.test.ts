import { setTimeout as pause } from "node:timers/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { pool } from "../../src/pool/pool.js";
import type { Metrics } from "../../src/shared/stats/metrics.js";
import type { WorkerMetrics } from "../../src/shared/stats/worker-states.js";
import { mirrorPath } from "../../src/stats-mirror/format.js";
import { mirroredMetrics, readMirror } from "../../src/stats-mirror/reader.js";
import { withMirroredServer } from "../support/mirrored-server.js";

const test = suite("the pool's workers, seen from another process");

const metricsAt = async (port: number): Promise<Metrics> => mirroredMetrics(await readMirror(mirrorPath(port)));

async function until(port: number, isReached: (metrics: Metrics) => boolean): Promise<readonly WorkerMetrics[]> {
  for (;;) {
    await pause(10);
    const metrics = await metricsAt(port);
    if (isReached(metrics)) return metrics.workerStates;
  }
}

test("idle, then busy with a request and for how long, lost, and idle again", async () => {
  await withMirroredServer(
    pool,
    async ({ url, port }) => {
      const idle = await until(port, ({ workerStates }) => workerStates.every(({ state }) => state === "idle"));
      assert.is(idle.length, 2);
      assert.equal(
        idle.map(({ on }) => on),
        [null, null],
      );

      const looping = fetch(`${url}/loops?secret=1`);
      const busy = await until(port, ({ workerStates }) =>
        workerStates.some(({ state, forMs, on }) => state === "busy" && forMs! > 30 && on === "GET /loops"),
      );
      const stuck = busy.findIndex(({ on }) => on === "GET /loops");
      const json = (await (await fetch(`${url}/stats.json`)).json()) as Metrics;
      assert.is(json.workerStates[stuck]!.state, "busy");
      assert.is(json.workerStates[stuck]!.on, "GET /loops");
      assert.ok(json.workerStates[stuck]!.forMs! > 30, "the time that the other thread has noted");
      assert.is(json.workerStates[1 - stuck]!.on, null, "the main thread answers the request that asks");

      assert.is((await looping).status, 504);
      await until(port, ({ workerStates }) => workerStates[stuck]!.state === "absent");
      const again = await until(port, ({ workerStates }) => workerStates.every(({ state }) => state === "idle"));
      assert.is(again[stuck]!.on, null);
      await until(port, ({ queued }) => queued === 0);
      const { handled, workerStates } = await metricsAt(port);
      assert.is(
        workerStates.reduce((sum, worker) => sum + worker.handled, 0),
        handled - 1,
        "all but /stats.json, which the main thread has handled",
      );
    },
    { requestTimeoutMs: 1000 },
  );
});

test("requests that wait for a worker are counted", async () => {
  await withMirroredServer(
    pool,
    async ({ url, port }) => {
      const slow = Array.from({ length: 8 }, () => fetch(`${url}/cpu?us=200000`));
      await until(port, ({ queued }) => queued! >= 4);
      for (const response of await Promise.all(slow)) assert.is(response.status, 200);
      await until(port, ({ queued }) => queued === 0);
    },
    { iterationsPerMicro: 500 },
  );
});

test.run();
