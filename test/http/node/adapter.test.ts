import { randomFillSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Counter } from "../../../src/shared/stats/stats.js";
import { RawClient } from "../../support/raw-client.js";
import { withServer } from "../../support/server.js";

const test = suite("the adapter on node:http");
const adapter = "node";

/** What is no request, and how RFC 9112 wants it answered. */
const malformed: readonly (readonly [what: string, bytes: string, status: number])[] = [
  ["no request line", "nonsense\r\n\r\n", 400],
  ["a version with a bare line feed", "GET /hello HTTP/1.1\nHost: x\n\n", 400],
  ["a later version", "GET /hello HTTP/2.0\r\nHost: x\r\n\r\n", 505],
  ["a version that never was", "GET /hello HTTP/1.2\r\nHost: x\r\n\r\n", 505],
  ["another protocol", "GET /hello RTSP/1.0\r\nHost: x\r\n\r\n", 400],
  ["another protocol, kept alive", "GET /hello RTSP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n", 400],
  ["another method of another protocol", "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n", 400],
  ["no version", "GET /hello\r\n\r\n", 505],
  ["no Host", "GET /hello HTTP/1.1\r\n\r\n", 400],
  ["two Hosts", "GET /hello HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400],
  ["two lengths", "GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400],
  [
    "a length and a coding",
    "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    400,
  ],
  ["a space before the colon", "GET /hello HTTP/1.1\r\nHost : x\r\n\r\n", 400],
  ["a head over 16 KiB", `GET /hello HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(17_000)}\r\n\r\n`, 431],
];
for (const mode of ["reactor", "pool"]) {
  test(`${mode}: what is no request is answered once, counted, and its connection closed`, async () => {
    await withServer({ mode, adapter }, async ({ port, stats }) => {
      const expected: Record<string, number> = {};
      for (const [what, bytes, status] of malformed) {
        const client = await RawClient.open(port);
        // What follows must not be taken for a request either.
        client.send(`${bytes}GET /hello HTTP/1.1\r\nHost: x\r\n\r\n`);
        const answer = await client.receiveToEnd();
        assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), what);
        assert.match(answer, /\r\nConnection: close\r\n/i, what);
        assert.is(answer.match(/^HTTP\/1\.1 \d/gm)?.length, 1, what);
        expected[status] = (expected[status] ?? 0) + 1;
      }
      const { status, activeConnections, inFlight } = await stats();
      assert.equal(status, expected);
      assert.equal([activeConnections, inFlight], [1, 1], "that of the reading alone");
    });
  });

  test(`${mode}: HTTP/1.0 that speaks of another protocol is HTTP all the same`, async () => {
    await withServer({ mode, adapter }, async ({ port }) => {
      const client = await RawClient.open(port);
      client.send("GET /echo?a HTTP/1.0\r\nA: /echo?a RTSP/1.0\r\nB: a /echo?a RTSP/1.0\r\n\r\n");
      assert.match(await client.receiveToEnd(), /^HTTP\/1\.1 200 OK\r\n/);
    });
  });

  test(`${mode}: a request before nonsense is answered first`, async () => {
    await withServer({ mode, adapter }, async ({ port }) => {
      const client = await RawClient.open(port);
      client.send("GET /sleep?ms=100 HTTP/1.1\r\nHost: x\r\n\r\nnonsense\r\n\r\n");
      const answers = await client.receiveToEnd();
      assert.match(answers, /^HTTP\/1\.1 200 OK[\s\S]*slept 100 ms\nHTTP\/1\.1 400 Bad Request\r\n/);
    });
  });

  test(`${mode}: a drain closes idle connections at once, and cuts off what is late`, async () => {
    const settings = { mode, adapter, workers: 2, drainTimeoutMs: 300 };
    await withServer(settings, async (server) => {
      const idle = await RawClient.open(server.port);
      idle.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
      await idle.receive((text) => text.endsWith("!\n"));
      const late = await RawClient.open(server.port);
      late.send("GET /never HTTP/1.1\r\nHost: x\r\n\r\n");
      while ((await server.stats()).inFlight < 2) {}
      let isLateClosed = false;
      late.socket.once("close", () => {
        isLateClosed = true;
      });
      const stopped = server.stop();
      await idle.receiveToEnd();
      assert.is(isLateClosed, false, "the idle one does not wait for the late one");
      assert.is(await stopped, 1);
      assert.is(await late.receiveToEnd(), "");
      assert.is(server.mainStats.get(Counter.inFlight), 0);
      assert.is(server.mainStats.get(Counter.connectionsClosed), server.mainStats.get(Counter.connectionsOpened));
    });
  });

  test(`${mode}: a file that becomes shorter while it is sent ends the connection, and is not padded`, async () => {
    const bytes = randomFillSync(new Uint8Array(40_000_000));
    await withServer(
      { mode, adapter },
      async ({ port, root, stats }) => {
        const client = await RawClient.open(port);
        client.send("GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n");
        await client.receive((text) => text.length > 0);
        client.socket.pause();
        truncateSync(join(root, "large.bin"), 1000);
        client.socket.resume();
        const rest = await client.receiveToEnd();
        assert.ok(rest.length < bytes.length);
        let metrics = await stats();
        while (metrics.aborted === 0) metrics = await stats();
        assert.equal([metrics.aborted, metrics.inFlight], [1, 1]);
      },
      { "large.bin": bytes },
    );
  });

  test(`${mode}: the log says how much of a body a client took before it went`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "loopool-log-"));
    const file = join(folder, "access.log");
    try {
      // In the cache, and streamed from the disk.
      const files = { "cached.bin": new Uint8Array(200_000), "large.bin": new Uint8Array(40_000_000) };
      const log = { file, format: "json", overflow: "drop" } as const;
      await withServer(
        { mode, adapter, log },
        async ({ port, url, stats }) => {
          assert.is((await (await fetch(`${url}/cached.bin`)).arrayBuffer()).byteLength, 200_000);
          const client = await RawClient.open(port);
          client.send("GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n");
          await client.receive((text) => text.length > 100_000);
          client.socket.destroy();
          while ((await stats()).aborted === 0) {}
        },
        files,
      );
      const lines = readFileSync(file, "utf8").trim().split("\n");
      const line = (url: string) =>
        JSON.parse(lines.find((text) => text.includes(url))!) as { bodyBytes: number; aborted?: boolean };
      assert.is(line("/cached.bin").bodyBytes, 200_000);
      const { bodyBytes, aborted } = line("/large.bin");
      assert.is(aborted, true);
      assert.ok(bodyBytes > 0 && bodyBytes < 40_000_000, String(bodyBytes));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test(`${mode}: the log has the address of a client that was gone before its request was looked at`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "loopool-log-"));
    const file = join(folder, "access.log");
    try {
      const log = { file, format: "combined", overflow: "drop" } as const;
      await withServer({ mode, adapter, log }, async ({ port, stats, mainStats }) => {
        const client = await RawClient.open(port);
        while (mainStats.get(Counter.connectionsOpened) === 0) await new Promise((resolve) => setImmediate(resolve));
        client.send("GET /never?gone HTTP/1.1\r\nHost: x\r\n\r\n");
        client.socket.resetAndDestroy();
        while ((await stats()).aborted === 0) {}
      });
      const line = readFileSync(file, "utf8").match(/^.*\?gone.*$/m)?.[0];
      assert.match(line ?? "", /^127\.0\.0\.1 - - /);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test(`${mode}: who waits for "100 Continue" gets it, and without it what is refused anyway`, async () => {
    await withServer({ mode, adapter }, async ({ port }) => {
      const head = "POST /hello HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: ";
      const client = await RawClient.open(port);
      for (let round = 0; round < 2; round++) {
        client.send(`${head}5\r\n\r\n`);
        assert.is(await client.receive((text) => text.endsWith("\r\n\r\n")), "HTTP/1.1 100 Continue\r\n\r\n");
        client.send("hello");
        assert.match(await client.receive((text) => text.endsWith("\n")), /^HTTP\/1\.1 405 /);
      }
      client.send(`${head}999999999\r\n\r\n`);
      const refused = await client.receiveToEnd();
      assert.match(refused, /^HTTP\/1\.1 413 /);
      assert.match(refused, /\r\nConnection: close\r\n/i);
    });
  });

  test(`${mode}: a body in chunks that turns out to be too long is refused, and one that ends in nonsense`, async () => {
    await withServer({ mode, adapter, limits: { maxBodyBytes: 10 } }, async ({ port, stats }) => {
      const head = "POST /hello HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
      for (const [body, status] of [
        ["5\r\nhello\r\n6\r\n world\r\n", 413],
        ["5\r\nhello\r\nx\r\n", 400],
      ] as const) {
        const client = await RawClient.open(port);
        client.send(head + body);
        assert.match(await client.receiveToEnd(), new RegExp(`^HTTP/1\\.1 ${status} `));
      }
      const { status, limits, malformed, requests } = await stats();
      assert.equal([status, limits.body, malformed, requests], [{ 400: 1, 413: 1 }, 1, 1, 3]);
    });
  });

  test(`${mode}: who waits for "100 Continue" behind another request is told in its turn, or not at all`, async () => {
    const expecting = "POST /hello HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    const slow = "GET /sleep?ms=50 HTTP/1.1\r\nHost: x\r\n\r\n";
    const statusesOf = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
    await withServer({ mode, adapter }, async ({ port }) => {
      const early = await RawClient.open(port);
      early.send(`${slow}${expecting}hello${slow}`);
      const unasked = await early.receiveToEnd();
      assert.equal(statusesOf(unasked), ["200", "405"]);
      assert.match(unasked, /slept 50 ms\nHTTP\/1\.1 405 [\s\S]*\r\nConnection: close\r\n/);
      const client = await RawClient.open(port);
      client.send(slow + expecting);
      const asked = await client.receive((text) => text.includes("HTTP/1.1 100"));
      assert.match(asked, /slept 50 ms\nHTTP\/1\.1 100 Continue\r\n\r\n$/);
      client.send("hello");
      assert.equal(statusesOf(await client.receive((text) => text.endsWith("supported here\n"))), ["405"]);
      client.socket.destroy();
    });
  });

  test(`${mode}: of two bodies in one packet the one that is at fault is refused, and the other answered`, async () => {
    const whole = "POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
    const chunked = "POST /hello HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    await withServer({ mode, adapter }, async ({ port, stats }) => {
      for (const rest of [`${chunked}x\r\n`, `${chunked}100\r\ncut off`, "nonsense\r\n\r\n"]) {
        const client = await RawClient.open(port);
        client.send(whole + rest);
        client.socket.end();
        const statuses = [...(await client.receiveToEnd()).matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
        assert.equal(statuses, ["405", "400"], rest);
      }
      const { status, aborted, inFlight, activeConnections } = await stats();
      assert.equal([status, aborted, inFlight, activeConnections], [{ 400: 3, 405: 3 }, 0, 1, 1]);
    });
  });

  test(`${mode}: a client that still sends when it is refused can read why`, async () => {
    await withServer({ mode, adapter }, async ({ port }) => {
      const client = await RawClient.open(port);
      client.send(`POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n${"x".repeat(4_000_000)}`);
      assert.match(await client.receiveToEnd(), /^HTTP\/1\.1 413 [\s\S]*max-body\n$/);
    });
  });

  test(`${mode}: heads and bodies that are late are told so, idle connections are closed without a word`, async () => {
    const limits = { headTimeoutMs: 400, idleTimeoutMs: 400 };
    await withServer({ mode, adapter, limits }, async ({ port, stats }) => {
      const silent = await RawClient.open(port);
      const late = await RawClient.open(port);
      late.send("GET /hello HTT");
      const idle = await RawClient.open(port);
      idle.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
      assert.match(await late.receiveToEnd(), /^HTTP\/1\.1 408 Request Timeout\r\n/);
      assert.is(await silent.receiveToEnd(), "");
      assert.match(await idle.receiveToEnd(), /^HTTP\/1\.1 200 [\s\S]*world!\n$/);
      assert.equal((await stats()).status, { 200: 1, 408: 1 });
    });
  });
}

test("CONNECT is a method like others that are not allowed", async () => {
  await withServer({ mode: "reactor", adapter }, async ({ port, stats }) => {
    const client = await RawClient.open(port);
    client.send("CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n");
    assert.match(await client.receiveToEnd(), /^HTTP\/1\.1 405 [\s\S]*\r\nAllow: GET, HEAD\r\n/);
    assert.equal((await stats()).status, { 405: 1 });
  });
});

test("who has more than 1,000 requests waiting on one connection is cut off", async () => {
  await withServer({ mode: "reactor", adapter }, async ({ port, stats }) => {
    const client = await RawClient.open(port);
    client.send("GET /never HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1100));
    assert.is(await client.receiveToEnd(), "");
    let metrics = await stats();
    while (metrics.aborted < 1001) metrics = await stats();
    assert.equal([metrics.aborted, metrics.inFlight, metrics.requests], [1001, 1, metrics.requests]);
  });
});

test("a small body from memory is the sender's own again as soon as it is answered, also behind another answer", async () => {
  const folder = mkdtempSync(join(tmpdir(), "loopool-handlers-"));
  const handlers = join(folder, "handlers.mjs");
  try {
    writeFileSync(
      handlers,
      `const shared = new Uint8Array(new SharedArrayBuffer(1000));
      let letter = 65;
      export const handlers = {
        "/slow": () => new Promise((resolve) => setTimeout(resolve, 100, { status: 200, headers: {}, body: "slow" })),
        "/shared": () => ({ status: 200, headers: {}, body: shared.fill(letter++) }),
      };`,
    );
    await withServer({ mode: "reactor", adapter, handlers }, async ({ port }) => {
      const client = await RawClient.open(port);
      const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
      client.send(get("/slow") + get("/shared") + get("/shared") + get("/shared"));
      const text = await client.receive((all) => all.endsWith("C".repeat(1000)));
      const bodies = [...text.matchAll(/\r\n\r\n(slow|(.)\2{999})/g)].map(([, body]) => body!.slice(0, 4));
      assert.equal(bodies, ["slow", "AAAA", "BBBB", "CCCC"]);
      client.socket.destroy();
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.run();
