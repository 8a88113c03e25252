import { suite } from "uvu";
import * as assert from "uvu/assert";
import { conformance } from "../core/conformance.js";
import { withServer } from "../support/server.js";

conformance("pool");

const test = suite("pool");

test("refuses at once with 503 and Retry-After what the ring has no room for, and counts it", async () => {
  await withServer({ mode: "pool", workers: 1, queue: 4 }, async ({ url, stats }) => {
    const sleeping = Array.from({ length: 4 }, () => fetch(`${url}/sleep?ms=300`));
    const refused = await untilStatus(503, () => fetch(`${url}/hello`));
    assert.is(refused.headers.get("retry-after"), "1");
    for (const response of await Promise.all(sleeping)) assert.is(response.status, 200);
    assert.is((await fetch(`${url}/hello`)).status, 200, "the ring is whole again");
    const { shed, status } = await stats();
    assert.is(shed, status["503"]);
    assert.ok(shed >= 1);
  });
});

test("an idle worker takes what waits while another one is busy", async () => {
  await withServer({ mode: "pool", workers: 2, iterationsPerMicro: 1000 }, async ({ url }) => {
    const order: string[] = [];
    const slow = fetch(`${url}/cpu?us=500000`).then(() => order.push("slow"));
    const quick = (async () => {
      for (let i = 0; i < 50; i++) await (await fetch(`${url}/hello`)).text();
      order.push("quick");
    })();
    await Promise.all([slow, quick]);
    assert.equal(order, ["quick", "slow"]);
  });
});

test("a worker that exits is replaced: what it held gets a 500, the rest is served", async () => {
  await withServer({ mode: "pool", workers: 2 }, async ({ url, stats }) => {
    for (let round = 1; round <= 5; round++) {
      const [killer, ...others] = await Promise.all([
        fetch(`${url}/exits`),
        ...Array.from({ length: 20 }, () => fetch(`${url}/sleep?ms=5`)),
      ]);
      assert.is(killer?.status, 500);
      for (const response of others) assert.ok(response.status === 200 || response.status === 500);
      await untilStatus(200, () => fetch(`${url}/hello`));
    }
    const { workersLost, inFlight } = await stats();
    assert.is(workersLost, 5);
    assert.is(inFlight, 1, "only the reading itself");
  });
});

test("lends every slot of a small ring out again and again", async () => {
  await withServer({ mode: "pool", workers: 2, queue: 8 }, async ({ url, stats }) => {
    for (let round = 0; round < 50; round++) {
      const paths = ["/hello", "/microtask", "/sleep?ms=1", "/throws", "/absent"];
      await Promise.all(paths.map(async (path) => (await fetch(url + path)).arrayBuffer()));
    }
    const { shed, status } = await stats();
    assert.is(shed, 0);
    assert.equal(status, { 200: 150, 404: 50, 500: 50 });
  });
});

test.run();

/** Asks until an answer has this status; a wrong server hangs here and the runner's time limit tells. */
async function untilStatus(status: number, ask: () => Promise<Response>): Promise<Response> {
  for (;;) {
    const response = await ask();
    if (response.status === status) return response;
    await response.arrayBuffer();
  }
}
