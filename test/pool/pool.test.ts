import { suite } from "uvu";
import * as assert from "uvu/assert";
import { conformance } from "../core/conformance.js";
import { RawClient } from "../support/raw-client.js";
import { type StatsMetrics, withServer } from "../support/server.js";

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

test("long requests that wait are bounded by --body-memory, one more gets a 503 that says so, and what they took is free again", async () => {
  const limits = { maxBodyBytes: 1024 };
  const settings = { mode: "pool", workers: 1, iterationsPerMicro: 1000, bodyMemoryBytes: 2 ** 16, limits };
  await withServer(settings, async ({ url, stats }) => {
    const long = (i: number) => `q=${String(i).repeat(2000).slice(0, 2000)}`;
    for (let round = 0; round < 2; round++) {
      const busy = fetch(`${url}/cpu?us=1500000`);
      let answered = 0;
      // As long as the worker is busy all others wait: four of them have a page.
      const asked = Array.from({ length: 10 }, async (_, i) => {
        const response = await fetch(`${url}/echo?${long(i)}`);
        return { status: response.status, text: await response.text(), order: answered++ };
      });
      const answers = await Promise.all(asked);
      assert.is((await busy).status, 200);
      const refused = answers.filter(({ status }) => status === 503);
      assert.is(refused.length, 6);
      for (const { text, order } of refused) {
        assert.match(text, "--body-memory");
        assert.ok(order < 6, "at once");
      }
      for (const [i, { status, text }] of answers.entries()) if (status === 200) assert.is(text, `/echo?${long(i)}\n`);
    }
    assert.is((await stats()).shed, 12);
  });
});

test("a server whose memory for bodies cannot hold one of the largest does not start, and says which settings to change", async () => {
  try {
    await withServer({ mode: "pool", bodyMemoryBytes: 2 ** 20 }, async () => {});
    assert.unreachable();
  } catch (error) {
    assert.match((error as Error).message, /--body-memory 1048576 .*--max-body 1048576: use at least 1097728/);
  }
});

test("an idle worker takes what waits while another one is busy", async () => {
  await withServer({ mode: "pool", workers: 2, iterationsPerMicro: 1000 }, async ({ url }) => {
    const order: string[] = [];
    const slow = fetch(`${url}/cpu?us=2000000`).then(() => order.push("slow"));
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
    assert.is(inFlight, 0);
  });
});

test("a worker that loops past the time limit is replaced: 504 for that request, the others are answered", async () => {
  await withServer({ mode: "pool", workers: 2, requestTimeoutMs: 2000 }, async ({ url, stats }) => {
    for (let round = 0; round < 2; round++) {
      // The others are to wait for neither the stuck worker nor the one that is started in the place of the last.
      await untilStats(stats, (metrics) => metrics.workers === 2);
      const [stuck, ...others] = await Promise.all([
        fetch(`${url}/loops`),
        ...Array.from({ length: 30 }, () => fetch(`${url}/hello`)),
      ]);
      assert.is(stuck?.status, 504);
      for (const response of others) assert.is(response.status, 200);
    }
    const { timedOut, workersLost } = await untilStats(stats, (metrics) => metrics.workersLost === 2);
    assert.equal([timedOut, workersLost], [2, 2]);
    await untilStats(stats, (metrics) => metrics.workers === 2);
  });
});

test("a promise that never settles costs a 504, but neither its worker nor its slot", async () => {
  await withServer({ mode: "pool", workers: 1, queue: 4, requestTimeoutMs: 800 }, async ({ url, stats }) => {
    for (let round = 0; round < 2; round++) {
      const answers = await Promise.all(Array.from({ length: 4 }, () => fetch(`${url}/never`)));
      assert.equal(
        answers.map(({ status }) => status),
        [504, 504, 504, 504],
      );
    }
    const { workersLost, timedOut, shed } = await stats();
    assert.equal([workersLost, timedOut, shed], [0, 8, 0]);
  });
});

test("an answer that comes after its time limit is not given to the next request in the slot", async () => {
  await withServer({ mode: "pool", workers: 1, queue: 2, requestTimeoutMs: 600 }, async ({ url }) => {
    for (let round = 0; round < 2; round++) {
      assert.is((await fetch(`${url}/sleep?ms=700`)).status, 504);
      for (let next = 0; next < 7; next++) {
        assert.is(await (await fetch(`${url}/echo?${round}-${next}`)).text(), `/echo?${round}-${next}\n`);
      }
    }
  });
});

test("a request that waits longer than the limit for a worker gets a 503", async () => {
  await withServer({ mode: "pool", workers: 1, requestTimeoutMs: 300, iterationsPerMicro: 1000 }, async ({ url }) => {
    const busy = fetch(`${url}/loops`);
    const waiting = fetch(`${url}/hello`);
    assert.is((await busy).status, 504);
    const { status } = await waiting;
    // The worker's successor may have come in time.
    assert.ok(status === 503 || status === 200, String(status));
  });
});

test("a worker out of memory is replaced, and its request gets a 500", async () => {
  await withServer({ mode: "pool", workers: 1, workerMemoryMiB: 32 }, async ({ url, stats }) => {
    assert.is((await fetch(`${url}/eats-memory`)).status, 500);
    await untilStatus(200, () => fetch(`${url}/hello`));
    assert.is((await stats()).workersLost, 1);
  });
});

test("a request whose client has gone before a worker took it is dropped", async () => {
  await withServer({ mode: "pool", workers: 1, iterationsPerMicro: 1000 }, async ({ url, port, stats }) => {
    const busy = fetch(`${url}/cpu?us=1500000`);
    const client = await RawClient.open(port);
    client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    client.socket.end();
    client.socket.destroy();
    await busy;
    const { dropped, aborted, handled } = await untilStats(stats, (metrics) => metrics.aborted === 1);
    assert.equal([dropped, aborted], [1, 1]);
    assert.ok(handled >= 2);
  });
});

test("starts workers while requests wait and sends them home when they are idle", async () => {
  const workers = { min: 1, max: 3 };
  await withServer({ mode: "pool", workers, workerIdleMs: 300, iterationsPerMicro: 1000 }, async ({ url, stats }) => {
    assert.is((await stats()).workers, 1);
    // As long as it takes to start two threads.
    while ((await stats()).workers < 3) {
      const answers = await Promise.all(Array.from({ length: 24 }, () => fetch(`${url}/cpu?us=40000`)));
      for (const { status } of answers) assert.is(status, 200);
    }
    const { workersLost } = await untilStats(stats, (metrics) => metrics.workers === 1);
    assert.is(workersLost, 0);
    assert.is((await fetch(`${url}/hello`)).status, 200);
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

/** Reads the metrics until they are as they should become. Reading keeps one worker busy, and no more. */
async function untilStats(
  read: () => Promise<StatsMetrics>,
  enough: (metrics: StatsMetrics) => boolean,
): Promise<StatsMetrics> {
  for (;;) {
    const metrics = await read();
    if (enough(metrics)) return metrics;
  }
}

/** Asks until an answer has this status; a wrong server hangs here and the runner's time limit tells. */
async function untilStatus(status: number, ask: () => Promise<Response>): Promise<Response> {
  for (;;) {
    const response = await ask();
    if (response.status === status) return response;
    await response.arrayBuffer();
  }
}
