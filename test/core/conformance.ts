import { createHash, randomFillSync } from "node:crypto";
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { sequenceNumber } from "../../src/shared/handlers/built-in/mixed.js";
import { SAMPLE_EVERY } from "../../src/shared/stats/phases.js";
import { isInFlight, unanswered } from "../support/in-flight.js";
import { RawClient } from "../support/raw-client.js";
import { skipping } from "../support/requires.js";
import { withServer } from "../support/server.js";

/** An adapter that every core is tested behind, and what it is known not to do: docs/adapters.md says the same in words. */
interface TestedAdapter {
  readonly name: string;
  readonly skip: readonly { readonly reason: string; readonly tests: readonly string[] }[];
}

const adapters: readonly TestedAdapter[] = [
  {
    name: "uws",
    skip: [
      { reason: "µWS speaks HTTP/1.1 only", tests: ["serves HTTP/1.0, with and without keep-alive"] },
      {
        reason: "µWS closes a connection on which a request arrives while one is pending",
        tests: ["answers pipelined requests in their order, whichever handler is done first"],
      },
      {
        reason: "µWS takes no absolute form",
        tests: ["takes a request target in absolute form"],
      },
    ],
  },
  { name: "node", skip: [] },
];

/** What every core must do behind every adapter. A core's whole test file calls this with the core's name. */
export function conformance(mode: string): void {
  for (const adapter of adapters) conformanceBehind(adapter, mode);
}

function conformanceBehind({ name: adapter, skip }: TestedAdapter, mode: string): void {
  const all = suite(`${mode} behind ${adapter}: conformance`);
  const named = new Set<string>();
  const test = (name: string, run: () => Promise<void>): void => {
    named.add(name);
    const reason = skip.find(({ tests }) => tests.includes(name))?.reason;
    if (reason === undefined) {
      all(name, run);
      return;
    }
    skipping(all, `behind ${adapter}: ${reason}`)(name, run);
  };
  const page = "<!doctype html><title>page</title>".padEnd(1024, " ");

  test("serves a file with its type and length, from the disk and then from the cache", async () => {
    await withServer(
      { mode, adapter },
      async ({ url, stats }) => {
        for (const source of ["disk", "cache"]) {
          const response = await fetch(`${url}/`);
          assert.is(response.status, 200, source);
          assert.is(response.headers.get("content-type"), "text/html; charset=utf-8", source);
          assert.is(response.headers.get("content-length"), "1024", source);
          assert.is(await response.text(), page, source);
        }
        assert.equal((await stats()).status, { 200: 2 });
      },
      { "index.html": page },
    );
  });

  test("answers HEAD with the length and no body, and the connection can be used again", async () => {
    await withServer(
      { mode, adapter },
      async ({ port }) => {
        const client = await RawClient.open(port);
        for (let round = 0; round < 3; round++) {
          client.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
          const head = await client.receive((text) => text.endsWith("\r\n\r\n"));
          assert.match(head, /^HTTP\/1\.1 200 OK\r\n/);
          assert.equal(head.match(/content-length: \d+/gi), ["Content-Length: 1024"]);
        }
        client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        const whole = await client.receive((text) => text.endsWith(page));
        assert.ok(whole.endsWith(`\r\n\r\n${page}`));
        client.socket.destroy();
      },
      { "index.html": page },
    );
  });

  test("refuses what is not there, above the root, hidden, or no valid path", async () => {
    await withServer(
      { mode, adapter },
      async ({ port, root }) => {
        mkdirSync(join(root, "folder"));
        symlinkSync("/etc/hostname", join(root, "link"));
        const cases = [
          ["/absent", 404],
          ["/../index.html", 404],
          ["/%2e%2e/%2e%2e/etc/hostname", 404],
          ["/.hidden", 404],
          ["/link", 404],
          ["/a%00b", 400],
          ["/a%5cb", 400],
          ["/%zz", 400],
          ["/folder", 301],
          ["/folder/", 404],
        ] as const;
        const client = await RawClient.open(port);
        for (const [path, status] of cases) {
          client.send(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
          const answer = await client.receive((text) => /\r\n\r\n.*\n$/s.test(text));
          assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), path);
        }
        client.socket.destroy();
      },
      { "index.html": page, ".hidden": "secret" },
    );
  });

  test("redirects a folder to its slash and never to another host", async () => {
    await withServer({ mode, adapter }, async ({ url, root }) => {
      mkdirSync(join(root, "folder"));
      const response = await fetch(`${url}//folder?q=1`, { redirect: "manual" });
      assert.is(response.status, 301);
      assert.is(response.headers.get("location"), "/folder/?q=1");
    });
  });

  test("answers other methods with 405 and the ones it allows", async () => {
    await withServer({ mode, adapter }, async ({ url, stats }) => {
      const response = await fetch(`${url}/hello`, { method: "POST", body: "x".repeat(100_000) });
      assert.is(response.status, 405);
      assert.is(response.headers.get("allow"), "GET, HEAD, OPTIONS");
      assert.equal((await stats()).status, { 405: 1 });
    });
  });

  test("hands path and query to the handler as they arrived, short and long", async () => {
    await withServer({ mode, adapter }, async ({ url }) => {
      for (const query of ["", "a=1&b=%20%C3%A4", "q=".padEnd(47, "x"), "q=".padEnd(3000, "y"), "z".repeat(15_000)]) {
        const text = await (await fetch(`${url}/echo?${query}`)).text();
        assert.is(text, `/echo?${query}\n`);
      }
      assert.is((await fetch(`${url}/echo?${"q".repeat(17_000)}`)).status, 414, "a target over 16 KiB");
    });
  });

  test("burns CPU and names a bad parameter with what is allowed", async () => {
    await withServer({ mode, adapter }, async ({ url }) => {
      assert.match(await (await fetch(`${url}/cpu?us=50`)).text(), /^burned 50 iterations/);
      for (const bad of ["us=x", "us=-1", "us=1e99", "us="]) {
        const response = await fetch(`${url}/cpu?${bad}`);
        assert.is(response.status, 400, bad);
        assert.match(await response.text(), /us must be a number from 0 to 10000000/, bad);
      }
    });
  });

  test("waits without blocking: quick answers overtake a sleeping request, and sleeps overlap", async () => {
    await withServer({ mode, adapter, workers: 1 }, async ({ url }) => {
      const order: string[] = [];
      const ask = async (path: string, name: string): Promise<void> => {
        await (await fetch(url + path)).text();
        order.push(name);
      };
      const sleeps = Array.from({ length: 8 }, () => ask("/sleep?ms=300", "sleep"));
      const last = ask("/sleep?ms=1200", "last");
      await ask("/hello", "hello");
      await ask("/microtask", "microtask");
      await Promise.all([...sleeps, last]);
      // One after the other the eight would take twice as long as the last one.
      assert.equal(order, ["hello", "microtask", ...sleeps.map(() => "sleep"), "last"]);
    });
  });

  test("mixes fast and slow requests in the seeded sequence", async () => {
    await withServer({ mode, adapter }, async ({ url }) => {
      const expected = Array.from({ length: 200 }, (_, n) => sequenceNumber(5, n)).filter((x) => x < 0.2).length;
      const texts = await Promise.all(
        Array.from({ length: 200 }, async () => (await fetch(`${url}/mixed?slow=0.2&us=1&seed=5`)).text()),
      );
      assert.is(texts.filter((text) => text === "slow\n").length, expected);
      assert.is(texts.filter((text) => text === "fast\n").length, 200 - expected);
    });
  });

  test("writes the header fields a handler returns as a plain object, and never one with a line end in it", async () => {
    await withServer({ mode, adapter }, async ({ url, stats }) => {
      for (let round = 0; round < 3; round++) {
        const response = await fetch(`${url}/plain-headers`);
        assert.is(response.status, 201);
        assert.is(response.headers.get("content-type"), "text/x-test");
        assert.is(response.headers.get("x-two"), "2");
        assert.is(await response.text(), "plain");
      }
      const refused = await fetch(`${url}/bad-header`);
      assert.is(refused.status, 500);
      assert.is(refused.headers.get("set-cookie"), null);
      assert.is((await stats()).handlerErrors, 1);
    });
  });

  test("turns a handler's failure into a 500, counts it, and goes on", async () => {
    await withServer({ mode, adapter }, async ({ url, stats }) => {
      for (const path of ["/throws", "/rejects", "/returns-nothing"]) {
        assert.is((await fetch(url + path)).status, 500, path);
      }
      assert.is(await (await fetch(`${url}/hello`)).text(), "Hello, world!\n");
      const { handlerErrors, status } = await stats();
      assert.is(handlerErrors, 3);
      assert.equal(status, { 200: 1, 500: 3 });
    });
  });

  test("sends bodies of every size whole, from memory and from the disk", async () => {
    const sizes = [0, 1, 65_536, 65_537, 3_000_000];
    const files = Object.fromEntries(sizes.map((size) => [`${size}.bin`, randomFillSync(new Uint8Array(size))]));
    await withServer(
      { mode, adapter, cacheBytes: 4 * 2 ** 20 },
      async ({ url }) => {
        for (const [name, bytes] of [...Object.entries(files), ...Object.entries(files)]) {
          const body = new Uint8Array(await (await fetch(`${url}/${name}`)).arrayBuffer());
          assert.is(digest(body), digest(bytes), name);
        }
      },
      files,
    );
  });

  test("a slow reader gets all of a large body while others are served", async () => {
    const bytes = randomFillSync(new Uint8Array(30_000_000));
    await withServer(
      { mode, adapter },
      async ({ port, url }) => {
        const client = await RawClient.open(port);
        client.socket.pause();
        client.send("GET /large.bin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        for (let i = 0; i < 20; i++) assert.is((await fetch(`${url}/hello`)).status, 200);
        client.socket.resume();
        // To look for an end in every piece of so much would take longer than to send it.
        const text = await client.receiveToEnd();
        assert.is(digest(Buffer.from(text.slice(text.indexOf("\r\n\r\n") + 4), "latin1")), digest(bytes));
        client.socket.destroy();
      },
      { "large.bin": bytes },
    );
  });

  test("notices a changed file within two seconds and never mixes old with new", async () => {
    await withServer(
      { mode, adapter },
      async ({ url, root }) => {
        assert.is(await (await fetch(`${url}/a.txt`)).text(), "old");
        writeFileSync(join(root, "a.txt"), "newer");
        utimesSync(join(root, "a.txt"), new Date(), new Date(Date.now() + 5000));
        const deadlineMs = performance.now() + 2000;
        let text = "old";
        while (text === "old" && performance.now() < deadlineMs) text = await (await fetch(`${url}/a.txt`)).text();
        assert.is(text, "newer");
      },
      { "a.txt": "old" },
    );
  });

  test("counts a client that goes before its answer, and goes on", async () => {
    await withServer({ mode, adapter }, async (server) => {
      const { port, stats } = server;
      let metrics = await stats();
      let sleepMs = 50;
      // On a busy machine the answer may come before we go: then it sleeps for longer.
      while (metrics.aborted === 0) {
        sleepMs *= 2;
        const client = await RawClient.open(port);
        await isInFlight(server, () => client.send(`GET /sleep?ms=${sleepMs} HTTP/1.1\r\nHost: x\r\n\r\n`));
        client.socket.destroy();
        do metrics = await stats();
        while (unanswered(metrics) > 0);
      }
      assert.is(metrics.aborted, 1);
      // The answer comes, finds nobody, and leaves nothing behind but the reading itself.
      await fetch(new URL(`/sleep?ms=${1.5 * sleepMs}`, `http://127.0.0.1:${port}`));
      assert.ok((await stats()).inFlight <= 1);
    });
  });

  test("counts every request and response exactly, over connections kept and closed", async () => {
    await withServer({ mode, adapter, workers: 2 }, async ({ url, stats }) => {
      const paths = ["/hello", "/echo", "/absent", "/throws"];
      const close = { headers: { Connection: "close" } };
      for (let round = 0; round < 10; round++) {
        await Promise.all(
          Array.from({ length: 40 }, async (_, i) => {
            await (await fetch(`${url}${paths[i % 4]}`, i % 8 < 4 ? {} : close)).arrayBuffer();
          }),
        );
      }
      const { requests, handled, status } = await stats();
      assert.is(requests, 401);
      assert.is(handled, 401);
      assert.equal(status, { 200: 200, 404: 100, 500: 100 });
    });
  });

  test("tells where a request's time goes: the phases of a sample add up to what the handler alone takes", async () => {
    await withServer({ mode, adapter, iterationsPerMicro: 500 }, async ({ url, stats }) => {
      const samples = 7;
      for (let i = 0; i < samples * SAMPLE_EVERY; i++) await (await fetch(`${url}/cpu?us=5000`)).text();
      const { phases } = await stats();
      for (const phase of Object.values(phases)) if (typeof phase === "object") assert.is(phase.count, samples);
      // The medians: a thread may lose the processor for some ms within any single phase.
      assert.ok(phases.handler.p50Micros > 10 * phases.write.p50Micros);
      assert.is(phases.wait.sumMicros > 0, mode === "pool");
    });
  });

  test("serves HTTP/1.0, with and without keep-alive", async () => {
    await withServer(
      { mode, adapter },
      async ({ port }) => {
        const client = await RawClient.open(port);
        for (let round = 0; round < 2; round++) {
          client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
          const kept = await client.receive((text) => text.endsWith(page));
          assert.match(kept, /^HTTP\/1\.1 200 OK\r\n/);
          assert.match(kept, /\r\nConnection: keep-alive\r\n/i);
          assert.match(kept, /\r\nContent-Length: 1024\r\n/i);
        }
        client.send("GET / HTTP/1.0\r\n\r\n");
        const last = await client.receiveToEnd();
        assert.match(last, /\r\nConnection: close\r\n/i);
        assert.ok(last.endsWith(page));
      },
      { "index.html": page },
    );
  });

  test("answers pipelined requests in their order, whichever handler is done first", async () => {
    await withServer({ mode, adapter, workers: 2 }, async ({ port, stats }) => {
      const client = await RawClient.open(port);
      const paths = ["/sleep?ms=200", "/hello", "/echo?3", "/sleep?ms=1", "/echo?5"];
      client.send(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).join(""));
      const answers = await client.receive((text) => text.endsWith("/echo?5\n"));
      const bodies = [...answers.matchAll(/\r\n\r\n([^\n]*)\n/g)].map(([, body]) => body);
      assert.equal(bodies, ["slept 200 ms", "Hello, world!", "/echo?3", "slept 1 ms", "/echo?5"]);
      assert.is((await stats()).requests, paths.length + 1);
      client.socket.destroy();
    });
  });

  test("takes a request target in absolute form", async () => {
    await withServer({ mode, adapter }, async ({ port }) => {
      const client = await RawClient.open(port);
      client.send("GET http://x/echo?a=http://y/ HTTP/1.1\r\nHost: x\r\n\r\n");
      assert.match(await client.receive((text) => text.endsWith("\n")), /\r\n\r\n\/echo\?a=http:\/\/y\/\n$/);
      client.socket.destroy();
    });
  });

  test("drains: answers what is in flight, closes its connection, accepts nothing new", async () => {
    let served: { port: number; stop(): Promise<number> } | undefined;
    await withServer({ mode, adapter }, async (server) => {
      served = server;
      const client = await RawClient.open(server.port);
      let sleepMs = 100;
      // On a busy machine the answer may come before we are to stop: then it sleeps for longer.
      do {
        sleepMs *= 2;
        await client.receive(() => true);
      } while (!(await isInFlight(server, () => client.send(`GET /sleep?ms=${sleepMs} HTTP/1.1\r\nHost: x\r\n\r\n`))));
      const stopped = server.stop();
      await assertRefused(server.port);
      const answer = await client.receiveToEnd();
      assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
      assert.match(answer, /\r\nConnection: close\r\n/i);
      assert.ok(answer.endsWith(`slept ${sleepMs} ms\n`), answer);
      assert.is(await stopped, 0);
    });
    assert.ok(served);
  });

  all("skips no test that is not there", () => {
    assert.equal(
      skip.flatMap(({ tests }) => tests).filter((name) => !named.has(name)),
      [],
    );
  });

  all.run();
}

async function assertRefused(port: number): Promise<void> {
  try {
    const client = await RawClient.open(port);
    client.socket.destroy();
  } catch (error) {
    assert.is((error as NodeJS.ErrnoException).code, "ECONNREFUSED");
    return;
  }
  assert.unreachable("a connection was accepted during the drain");
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
