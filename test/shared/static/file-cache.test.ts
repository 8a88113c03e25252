import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type CacheShape, cacheBytes } from "../../../src/shared/cache/layout.js";
import { SharedCache } from "../../../src/shared/cache/shared-cache.js";
import { statsBytes, ThreadStats } from "../../../src/shared/stats/stats.js";
import { RawClient } from "../../support/raw-client.js";
import { withServer } from "../../support/server.js";

/** Which shard of such a cache a key lies in. */
function shardsOf(shape: CacheShape): (key: string) => number {
  const memory = new SharedArrayBuffer(cacheBytes(shape));
  const stats = new ThreadStats(new SharedArrayBuffer(statsBytes(1)), 0);
  const cache = new SharedCache({ memory, shape, thread: 0, maySleep: false, stats });
  return (key) => cache.shardOf(key);
}

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

  // µWS ends a response that nobody takes after 8 to 12 s, which the others may need on a busy machine: LOOPOOL_TEST_SLOW_FRONT=uws is the long form.
  const adapter = process.env["LOOPOOL_TEST_SLOW_FRONT"] ?? "node";
  test(`${mode}: what is being sent stays what it is while its shard is filled with other files`, async () => {
    // More than the sockets' buffers take, so that most of it is still to be sent when its place is wanted.
    const BYTES = 14_000_000;
    const bytes = 512 * 2 ** 20;
    // The reader is slow for as long as the others take.
    const limits = { slowReaderTimeoutMs: 200_000 };
    await withServer({ mode, adapter, workers: 2, cacheBytes: bytes, limits }, async ({ port, url, stats, root }) => {
      const file = (n: number): string => join(root, `${n}.bin`);
      const shardOf = shardsOf({ bytes, threads: 1 });
      const [slow = 0, ...others] = Array.from({ length: 200 }, (_, n) => n)
        .filter((n) => shardOf(file(n)) === shardOf(file(0)))
        .slice(0, 5);
      for (const n of [slow, ...others]) writeFileSync(file(n), new Uint8Array(BYTES).fill(1 + n));
      const isWhole = (body: Uint8Array, n: number): boolean => Buffer.alloc(BYTES, 1 + n).equals(body);
      // So that it comes from the cache.
      await (await fetch(`${url}/${slow}.bin`)).arrayBuffer();
      const reader = await RawClient.open(port);
      reader.socket.pause();
      reader.send(`GET /${slow}.bin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      for (const n of [...others, ...others]) {
        assert.ok(isWhole(new Uint8Array(await (await fetch(`${url}/${n}.bin`)).arrayBuffer()), n));
      }
      assert.ok((await stats()).cache.evictions > 4);
      reader.socket.resume();
      const text = await reader.receiveToEnd();
      assert.ok(isWhole(Buffer.from(text.slice(text.indexOf("\r\n\r\n") + 4), "latin1"), slow));
      reader.socket.destroy();
    });
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
