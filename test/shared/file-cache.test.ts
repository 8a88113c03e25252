import { createHash, randomFillSync } from "node:crypto";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { RawClient } from "../support/raw-client.js";
import { withServer } from "../support/server.js";

const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

const test = suite("the cache of files");

for (const mode of ["reactor", "pool"]) {
  test(`${mode}: a stampede of misses reads the disk once, whatever thread they come to`, async () => {
    const page = "x".repeat(10_000);
    await withServer(
      { mode, workers: 3 },
      async ({ url, stats }) => {
        const startMs = performance.now();
        const texts = await Promise.all(
          Array.from({ length: 90 }, async () => (await fetch(`${url}/page.txt`)).text()),
        );
        for (const text of texts) assert.is(text, page);
        const { cache } = await stats();
        // A look at the disk a second, were the machine that slow.
        assert.ok(cache.misses <= 1 + Math.floor((performance.now() - startMs) / 1000), `${cache.misses} misses`);
        assert.is(cache.evictions, 0);
      },
      { "page.txt": page },
    );
  });

  test(`${mode}: each look-up is counted once`, async () => {
    await withServer(
      { mode, workers: 2 },
      async ({ url, stats }) => {
        for (let i = 0; i < 30; i++) await (await fetch(`${url}/${i % 3}.txt`)).text();
        const { cache } = await stats();
        assert.is(cache.hits + cache.sharedHits + cache.misses, 30);
        assert.ok(cache.misses >= 3 && cache.hits > 0);
        let { entries } = cache;
        while (entries < 3) ({ entries } = (await stats()).cache);
        assert.is(entries, 3);
      },
      { "0.txt": "0", "1.txt": "1", "2.txt": "2" },
    );
  });

  test(`${mode}: what is being sent stays what it is while the cache is filled with other files`, async () => {
    const slow = randomFillSync(new Uint8Array(1_900_000));
    const others = Array.from({ length: 45 }, (_, i) => [`other${i}.bin`, new Uint8Array(1_900_000).fill(i)] as const);
    await withServer(
      { mode, workers: 2, cacheBytes: 64 * 2 ** 20 },
      async ({ port, url, stats }) => {
        // So that it comes from the cache.
        await (await fetch(`${url}/slow.bin`)).arrayBuffer();
        const readers = await Promise.all(Array.from({ length: 6 }, () => RawClient.open(port)));
        for (const { socket } of readers) socket.pause();
        for (const reader of readers) reader.send("GET /slow.bin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        for (const [name, bytes] of [...others, ...others]) {
          assert.is(digest(new Uint8Array(await (await fetch(`${url}/${name}`)).arrayBuffer())), digest(bytes), name);
        }
        assert.ok((await stats()).cache.evictions > 0);
        for (const reader of readers) {
          reader.socket.resume();
          const text = await reader.receive((all) => all.length >= slow.length + all.indexOf("\r\n\r\n") + 4);
          assert.is(digest(Buffer.from(text.slice(text.indexOf("\r\n\r\n") + 4), "latin1")), digest(slow));
          reader.socket.destroy();
        }
      },
      { "slow.bin": slow, ...Object.fromEntries(others) },
    );
  });
}

test("workers that are killed leave nothing pinned or locked: files are served from memory as before", async () => {
  const files = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`${i}.bin`, new Uint8Array(100_000).fill(i)]));
  await withServer(
    { mode: "pool", workers: 2, cacheBytes: 2 * 2 ** 20 },
    async ({ url, stats }) => {
      for (let kill = 0; kill < 8; kill++) {
        const asked = Object.entries(files).map(async ([name, bytes]) => {
          const response = await fetch(`${url}/${name}`);
          const body = new Uint8Array(await response.arrayBuffer());
          // 500: the worker that held it was killed.
          if (response.status === 200) assert.is(digest(body), digest(bytes), name);
          else assert.is(response.status, 500);
        });
        assert.is((await fetch(`${url}/exits`)).status, 500);
        await Promise.all(asked);
      }
      for (const [name, bytes] of Object.entries(files)) {
        assert.is(digest(new Uint8Array(await (await fetch(`${url}/${name}`)).arrayBuffer())), digest(bytes), name);
      }
      const { cache, workersLost } = await stats();
      assert.is(workersLost, 8);
      assert.ok(cache.bytes <= 2 * 2 ** 20);
    },
    files,
  );
});

test.run();
