import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { seededRandom } from "../../../src/harness/statistics/random.js";
import { type CacheShape, cacheBytes, cacheLayout, UNIT_BYTES } from "../../../src/shared/cache/layout.js";
import { type CacheEntry, SharedCache } from "../../../src/shared/cache/shared-cache.js";
import { readStats, statsBytes, ThreadStats } from "../../../src/shared/stats/stats.js";
import { bodyOf, type CacheTask, isWhole, work } from "./fixtures/cache-thread.js";

function newCache(shape: CacheShape) {
  const memory = new SharedArrayBuffer(cacheBytes(shape));
  const counters = new SharedArrayBuffer(statsBytes(1));
  const stats = new ThreadStats(counters, 0);
  const attach = (thread: number): SharedCache => new SharedCache({ memory, shape, thread, maySleep: true, stats });
  return { memory, attach, cache: attach(0), metrics: () => readStats(counters) };
}

function entry(key: string, version: number, bytes: number): CacheEntry {
  const body = bodyOf(key, version, bytes);
  return { status: 200, head: `${key} ${version} ${bytes}`, body, modifiedMs: version + 0.5, checkedMs: version };
}

/** Puts without keeping a pin. */
function put(cache: SharedCache, key: string, version: number, bytes: number): boolean {
  const view = cache.put(key, entry(key, version, bytes));
  if (view !== undefined) cache.release(view.pin);
  return view !== undefined;
}

function unitsOf(key: string, version: number, bytes: number): number {
  return Math.ceil((key.length + `${key} ${version} ${bytes}`.length + bytes) / UNIT_BYTES);
}

const small: CacheShape = { bytes: 64 * 1024, threads: 3 };

const test = suite("shared cache");

test("gives back what was put, from any thread's view", () => {
  const { cache, attach } = newCache(small);
  assert.is(cache.get("/a"), undefined);
  put(cache, "/a", 7, 1000);
  const view = attach(1).get("/a")!;
  assert.ok(isWhole("/a", view.head, view.body));
  assert.equal([view.status, view.modifiedMs, view.checkedMs], [200, 7.5, 7]);
});

test("keeps keys apart, long ones and ones beyond ASCII too, and an empty body", () => {
  const { cache } = newCache(small);
  const keys = ["/", "/ä", "/\u{1f600}", `/${"x".repeat(3000)}`, "/a/b", "/ab"];
  for (const [version, key] of keys.entries()) put(cache, key, version, version * 100);
  for (const [version, key] of keys.entries()) assert.is(cache.get(key)?.modifiedMs, version + 0.5, key);
});

test("a new entry takes the place of the old one, whose holder keeps the old bytes", () => {
  const { cache } = newCache(small);
  put(cache, "/a", 1, 5000);
  const old = cache.get("/a")!;
  put(cache, "/a", 2, 300);
  for (let i = 0; i < 100; i++) put(cache, `/other${i}`, i, 4000);
  assert.ok(isWhole("/a", old.head, old.body), "pinned");
  cache.release(old.pin);
  for (let i = 0; i < 100; i++) put(cache, `/other${i}`, i, 4000);
  assert.not.ok(isWhole("/a", old.head, old.body), "its bytes are used again");
});

test("what takes more than its share is not kept, and what is pinned makes no room", () => {
  const { cache, metrics } = newCache(small);
  const { maxEntryBytes } = cache.layout;
  assert.is(maxEntryBytes, 32 * 1024);
  assert.is(put(cache, "/large", 1, maxEntryBytes), false);
  const held = [1, 2, 3, 4].map((i) => cache.put(`/p${i}`, entry(`/p${i}`, i, 15_000))!);
  assert.ok(held.every((view) => view !== undefined));
  assert.is(put(cache, "/more", 1, 15_000), false);
  assert.is(metrics().cacheBypassed, 2);
  for (const { pin } of held) cache.release(pin);
  assert.is(put(cache, "/more", 1, 15_000), true);
});

test("an entry that was removed is gone; one that was confirmed has its time", () => {
  const { cache } = newCache(small);
  put(cache, "/a", 1, 10);
  cache.confirm(cache.get("/a")!.pin, 99);
  assert.is(cache.get("/a")?.checkedMs, 99);
  cache.remove("/a");
  assert.is(cache.get("/a"), undefined);
  assert.is(cache.entries, 0);
});

test("a pin that is taken over outlives the thread that had it", () => {
  const { cache, attach } = newCache(small);
  const worker = attach(1);
  put(cache, "/a", 1, 5000);
  const { pin, head, body } = worker.get("/a")!;
  cache.adopt(pin, 1);
  cache.recover(1);
  for (let i = 0; i < 100; i++) put(cache, `/other${i}`, i, 4000);
  assert.ok(isWhole("/a", head, body));
  cache.release(pin);
  for (let i = 0; i < 100; i++) put(cache, `/other${i}`, i, 4000);
  assert.not.ok(isWhole("/a", head, body));
});

test("refuses shapes that no cache can have", () => {
  assert.throws(() => cacheBytes({ bytes: 100, threads: 1 }), /at least|from 16384/);
  assert.throws(() => cacheBytes({ bytes: 2 ** 20, threads: 0 }), /threads/);
  assert.throws(() => newCache({ bytes: 2 ** 20, threads: 2 }).attach(2), /no thread 2/);
});

for (const bytes of [64 * 1024, 4 * 2 ** 20]) {
  test(`agrees with a model of its shards over 30,000 operations: contents, order, bound (${bytes} bytes)`, () => {
    const { cache } = newCache({ bytes, threads: 1 });
    const { shards, unitsPerShard } = cacheLayout({ bytes, threads: 1 });
    const random = seededRandom(11);
    /** By shard: keys in the order of use, the last one used at the end, with version and units. */
    const model = Array.from({ length: shards }, () => new Map<string, { version: number; size: number }>());
    const keys = Math.round((bytes / 1024) * 1.2);
    for (let step = 0; step < 30_000; step++) {
      const key = `/k${Math.floor(random() * keys)}`;
      const shard = model[cache.shardOf(key)]!;
      const known = shard.get(key);
      const choice = random();
      if (choice < 0.7) {
        const view = cache.get(key);
        assert.is(view?.modifiedMs, known === undefined ? undefined : known.version + 0.5, `step ${step}`);
        if (view === undefined) continue;
        cache.release(view.pin);
        shard.delete(key);
        shard.set(key, known!);
      } else if (choice < 0.97) {
        const size = Math.floor(random() * 3000);
        assert.ok(put(cache, key, step, size));
        const before = [...shard.keys()];
        const now = cache.keys()[cache.shardOf(key)]!;
        // Which and how many go is up to what fits: but always those used the longest ago, and never more than it takes.
        shard.delete(key);
        shard.set(key, { version: step, size });
        for (const old of before) {
          if (old === key) continue;
          if (now.includes(old)) break;
          shard.delete(old);
        }
      } else {
        cache.remove(key);
        shard.delete(key);
      }
      if (step % 1000 === 0) {
        const orders = cache.keys();
        model.forEach((expected, i) => {
          assert.equal(orders[i], [...expected.keys()].reverse(), `step ${step}`);
          const units = [...expected].reduce((sum, [k, { version, size }]) => sum + unitsOf(k, version, size), 0);
          assert.ok(units <= unitsPerShard);
        });
        const used = model
          .flatMap((one) => [...one])
          .reduce((sum, [k, { version, size }]) => sum + unitsOf(k, version, size), 0);
        assert.is(cache.usedBytes, used * UNIT_BYTES, `step ${step}`);
        assert.is(
          cache.entries,
          model.reduce((sum, { size }) => sum + size, 0),
        );
      }
    }
  });
}

function start(task: CacheTask): Worker {
  return new Worker(new URL("./fixtures/cache-thread.js", import.meta.url), { workerData: task });
}

test("400,000 operations of four threads: no entry is ever half another one, and nothing stays in use", async () => {
  const shape = { bytes: 2 * 2 ** 20, threads: 4 };
  const { memory, cache } = newCache(shape);
  const load = { memory, shape, operations: 100_000, keys: 3000, maxBodyBytes: 2500, end: "done" } as const;
  const threads = [1, 2, 3].map((thread) => start({ ...load, thread, seed: 100 + thread }));
  const messages = threads.map((thread) => once(thread, "message"));
  const own = work(cache, { ...load, thread: 0, seed: 100 });
  const results = [own, ...(await Promise.all(messages)).map(([result]) => result as typeof own)];
  assert.ok(results.every(({ found }) => found > 4000));
  assert.equal(
    results.map(({ broken }) => broken),
    [0, 0, 0, 0],
  );
  for (const keys of cache.keys()) for (const key of keys) cache.remove(key);
  // Puts sweep what was pinned when it was unlinked.
  for (let i = 0; i < 200; i++) put(cache, `/last${i}`, i, 1);
  for (let i = 0; i < 200; i++) cache.remove(`/last${i}`);
  assert.equal([cache.entries, cache.usedBytes], [0, 0]);
});

test("a thread that is killed inside a lock blocks nobody, and costs one shard", async () => {
  const shape = { bytes: 4 * 2 ** 20, threads: 2 };
  const { memory, cache, metrics } = newCache(shape);
  for (let i = 0; i < 400; i++) put(cache, `/k${i}`, i, 2000);
  const held = Array.from({ length: 20 }, (_, i) => ({ key: `/k${i}`, view: cache.get(`/k${i}`)! }));
  const rest = { operations: 0, keys: 1, maxBodyBytes: 1, end: "inside the lock" } as const;
  const thread = start({ memory, shape, thread: 1, seed: 2, ...rest });
  await once(thread, "message");
  const inside = (key: string): boolean => cache.shardOf(key) === 2;
  const keys = Array.from({ length: 400 }, (_, i) => `/k${i}`);
  assert.is(cache.get(keys.find(inside)!), undefined, "a miss, not a wait");
  assert.ok(cache.get(keys.find((key) => !inside(key))!) !== undefined);
  await thread.terminate();
  cache.recover(1);
  assert.is(metrics().cacheRebuilds, 1);
  for (const key of keys) assert.is(cache.get(key) === undefined, inside(key), key);
  for (const { key, view } of held) assert.ok(isWhole(key, view.head, view.body), "pinned by the living");
  for (let i = 0; i < 4000; i++) put(cache, `/new${i}`, i, 3000);
  for (const { key, view } of held) assert.ok(isWhole(key, view.head, view.body), "and stays so");
});

for (const seed of [1, 2]) {
  test(`threads killed anywhere: the others go on, and nothing is broken (seed ${seed})`, async () => {
    const shape = { bytes: 2 ** 20, threads: 3 };
    const { memory, cache } = newCache(shape);
    const random = seededRandom(seed);
    const load = { memory, shape, keys: 800, maxBodyBytes: 2500, end: "done" } as const;
    const forever = { ...load, operations: 1e9 };
    const threads = [1, 2].map((thread) => start({ ...forever, thread, seed: seed * 10 + thread }));
    await Promise.all(threads.map((thread) => once(thread, "online")));
    let broken = 0;
    try {
      for (let kill = 0; kill < 12; kill++) {
        broken += work(cache, {
          ...load,
          thread: 0,
          seed: seed * 1000 + kill,
          operations: 2000 + random() * 4000,
        }).broken;
        const thread = 1 + Math.floor(random() * 2);
        await threads[thread - 1]!.terminate();
        cache.recover(thread);
        threads[thread - 1] = start({ ...forever, thread, seed: seed * 10 + kill });
        await once(threads[thread - 1]!, "online");
      }
    } finally {
      await Promise.all(threads.map((thread) => thread.terminate()));
    }
    for (const thread of [1, 2]) cache.recover(thread);
    broken += work(cache, { ...load, thread: 0, seed, operations: 20_000 }).broken;
    assert.is(broken, 0);
    for (const keys of cache.keys()) for (const key of keys) cache.remove(key);
    put(cache, "/last", 1, 1);
    cache.remove("/last");
    assert.equal([cache.entries, cache.usedBytes], [0, 0], "nothing that the dead held is lost");
  });
}

test("a working set twice the cache: within two points of an ideal LRU's hit ratio", () => {
  const bytes = 4 * 2 ** 20;
  const { cache } = newCache({ bytes, threads: 1 });
  const random = seededRandom(5);
  const sizes = Array.from({ length: 3000 }, () => 200 + Math.floor(random() ** 3 * 10_000));
  const scale = (2 * bytes) / sizes.reduce((sum, size) => sum + size, 0);
  const bodies = sizes.map((size, i) => bodyOf(`/k${i}`, 1, Math.round(size * scale)));
  // Zipf with exponent 0.8 over the keys.
  const weights = sizes.map((_, i) => 1 / (i + 1) ** 0.8);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const cumulative: number[] = [];
  weights.reduce((sum, weight, i) => (cumulative[i] = sum + weight / total), 0);
  const draw = (): number => {
    const at = random();
    let low = 0;
    let high = cumulative.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (cumulative[middle]! < at) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const ideal = new Map<number, number>();
  let idealBytes = 0;
  let idealHits = 0;
  let hits = 0;
  const REQUESTS = 150_000;
  for (let i = 0; i < REQUESTS; i++) {
    const k = draw();
    const size = bodies[k]!.byteLength;
    if (ideal.delete(k)) idealHits++;
    else idealBytes += size;
    ideal.set(k, size);
    for (const [old, oldSize] of ideal) {
      if (idealBytes <= bytes) break;
      ideal.delete(old);
      idealBytes -= oldSize;
    }
    const view = cache.get(`/k${k}`);
    if (view !== undefined) {
      hits++;
      cache.release(view.pin);
    } else {
      const kept = cache.put(`/k${k}`, { status: 200, head: "t", body: bodies[k]!, modifiedMs: 1, checkedMs: 1 });
      if (kept !== undefined) cache.release(kept.pin);
    }
  }
  const [own, best] = [(100 * hits) / REQUESTS, (100 * idealHits) / REQUESTS];
  assert.ok(best > 40 && best < 95, `a trace that tells nothing: ${best}%`);
  assert.ok(own > best - 2, `${own.toFixed(1)}% of ${best.toFixed(1)}%, ${cache.usedBytes} of ${bytes} bytes in use`);
});

test.run();
