import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { StatusSegment, statusBytes } from "../../../src/shared/stats/status-segment.js";
import type { StatusWriterStartup } from "./fixtures/status-writer.js";

const test = suite("status segment");

/** A path in words, as it stands in a slot: what follows it is not its own. */
function wordsOf(path: string) {
  const text = Buffer.from(`${path}?secret=1`);
  const words = new Int32Array(Math.ceil(text.byteLength / 4));
  Buffer.from(words.buffer).set(text);
  return { words, bytes: Buffer.byteLength(path) };
}

function show(segment: StatusSegment, worker: number, method: number, path: string): void {
  const { words, bytes } = wordsOf(path);
  segment.prepare(worker, method, words, 0, bytes);
  segment.begin(worker);
}

test("shows the first 80 bytes of a path, and no byte of what follows it", () => {
  const segment = new StatusSegment(new SharedArrayBuffer(statusBytes(2)), 2);
  for (let bytes = 1; bytes <= 100; bytes++) {
    const path = `/${"x".repeat(bytes - 1)}`;
    show(segment, 1, bytes % 2, path);
    const shown = bytes > 80 ? `${path.slice(0, 80)}…` : path;
    assert.is(segment.requestOf(1), `${bytes % 2 === 0 ? "GET" : "HEAD"} ${shown}`);
    assert.is(segment.requestOf(0), null);
  }
  show(segment, 0, 0, `/${"é".repeat(60)}`);
  assert.is(segment.requestOf(0), `GET /${"é".repeat(39)}…`, "no half of a character");
});

test("nothing is shown before a request begins, after it has ended, and of a predecessor's", () => {
  const segment = new StatusSegment(new SharedArrayBuffer(statusBytes(1)), 1);
  const { words, bytes } = wordsOf("/hello");
  segment.prepare(0, 0, words, 0, bytes);
  assert.is(segment.requestOf(0), null);
  segment.begin(0);
  assert.is(segment.requestOf(0), "GET /hello");
  assert.ok(segment.isRunning(0));
  segment.end(0);
  assert.is(segment.requestOf(0), null);
  segment.begin(0);
  segment.start(0);
  assert.is(segment.requestOf(0), null);
  assert.not(segment.isRunning(0));
});

test("of two requests never a mixture, in whatever order their words become visible", () => {
  const requests = ["/", "/abcdefghijk", "/abcdefghijx", "/zbcdefghijk", "/abcdefghijkl", `/${"y".repeat(200)}`];
  const states = requests.flatMap((path) =>
    [0, 1].map((method) => {
      const memory = new SharedArrayBuffer(statusBytes(1));
      const segment = new StatusSegment(memory, 1);
      show(segment, 0, method, path);
      return { shown: segment.requestOf(0), words: new Int32Array(memory).slice() };
    }),
  );
  let mixtures = 0;
  for (const before of states) {
    for (const after of states) {
      const changed = [...before.words.keys()].filter((word) => before.words[word] !== after.words[word]);
      // Every subset of few words; of many the stores in order and in reverse.
      const isFew = changed.length <= 6;
      const subsets = isFew ? 2 ** changed.length : 2 * changed.length;
      for (let subset = 0; subset < subsets; subset++) {
        const memory = new SharedArrayBuffer(statusBytes(1));
        const words = new Int32Array(memory);
        words.set(before.words);
        changed.forEach((word, i) => {
          const isStored = isFew
            ? ((subset >> i) & 1) === 1
            : subset < changed.length
              ? i <= subset
              : i >= subset - changed.length;
          if (isStored) words[word] = after.words[word]!;
        });
        const found = new StatusSegment(memory, 1).requestOf(0);
        assert.ok([before.shown, after.shown, null].includes(found), String(found));
        mixtures++;
      }
    }
  }
  assert.ok(mixtures > 500, String(mixtures));
});

test("a reader beside a thread that writes sees whole requests only", async () => {
  const paths = ["/a", `/${"b".repeat(70)}`, `/${"c".repeat(75)}/${"d".repeat(40)}`, "/e/f"];
  const startup: StatusWriterStartup = {
    status: new SharedArrayBuffer(statusBytes(1)),
    paths,
    stop: new SharedArrayBuffer(4),
  };
  const writer = new Worker(new URL("./fixtures/status-writer.js", import.meta.url), { workerData: startup });
  const stop = new Int32Array(startup.stop);
  const begun = Atomics.waitAsync(stop, 0, 0);
  if (begun.async) await begun.value;
  const reader = new StatusSegment(startup.status, 1);
  const allowed = new Set(
    paths.flatMap((path, i) => {
      const shown = path.length > 80 ? `${path.slice(0, 80)}…` : path;
      return [`${i % 2 === 0 ? "GET" : "HEAD"} ${shown}`];
    }),
  );
  const found = new Map<string | null, number>();
  // On a busy machine the writer may stand still for long, in the middle of a request: on until several of them were seen whole.
  for (let i = 0; i < 200_000 || found.size < 3; i++) {
    const on = reader.requestOf(0);
    found.set(on, (found.get(on) ?? 0) + 1);
  }
  Atomics.store(stop, 0, 2);
  await once(writer, "exit");
  for (const on of found.keys()) assert.ok(on === null || allowed.has(on), String(on));
});

test("counts what waits over the wrap of its words; what a dead worker did not count is set right", () => {
  const memory = new SharedArrayBuffer(statusBytes(2));
  const segment = new StatusSegment(memory, 2);
  segment.words[0] = 2 ** 31 - 2;
  segment.setTaken(0, 2 ** 31 - 5);
  segment.setTaken(1, 3);
  assert.is(segment.queued(), 0);
  for (let i = 0; i < 5; i++) segment.enter();
  assert.is(segment.queued(), 5);
  segment.take(0);
  segment.take(1);
  segment.revoke();
  assert.is(segment.queued(), 2);
  // Worker 1 took another one and died before it counted it.
  segment.setTaken(1, 5);
  assert.is(segment.queued(), 1);
  segment.take(0);
  segment.take(0);
  assert.is(segment.queued(), 0, "a claim may be seen before its request");
});

test.run();
