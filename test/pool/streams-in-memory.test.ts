import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { pool } from "../../src/pool/pool.js";
import { CHUNK_COST, WINDOW } from "../../src/pool/stream-receiver.js";
import { Counter } from "../../src/shared/stats/stats.js";
import { type BareCore, withCore } from "../support/core.js";
import { requestOf } from "../support/requests.js";

const handlers = fileURLToPath(new URL("./fixtures/streams.js", import.meta.url));
const oneWorker = { handlers, workers: { min: 1, max: 1 } };

const test = suite("pool: responses that are made while they are sent");

/** All bytes of a stream. */
async function read(chunks: AsyncIterator<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for (let { done, value } = await chunks.next(); !done; { done, value } = await chunks.next()) parts.push(value);
  return Buffer.concat(parts);
}

/** What `/counts` says once it is as it should be; a wrong one hangs here. */
async function untilCounts({ submit }: BareCore, expected: string): Promise<void> {
  while ((await submit(requestOf("/counts")).text()) !== `${expected}\n`) {}
}

function expectedBytes(chunks: number, bytes: number): Buffer {
  return Buffer.concat(Array.from({ length: chunks }, (_, i) => new Uint8Array(bytes).fill(i)));
}

for (const [name, chunks, bytes] of [
  ["no chunk at all", 0, 0],
  ["one byte a time", 5000, 1],
  ["chunks for the ring", 50, 20_000],
  ["chunks of a mebibyte, which go by message", 5, 2 ** 20],
  ["empty chunks", 10, 0],
] as const) {
  test(`all of it arrives in order: ${name}`, async () => {
    await withCore(pool, oneWorker, async (bare) => {
      const replies = Array.from({ length: 5 }, () =>
        bare.submit(requestOf("/chunks", { query: `chunks=${chunks}&bytes=${bytes}` })),
      );
      for (const reply of replies) {
        const { chunks: stream, bytes: length } = await reply.stream();
        assert.is(length, undefined);
        assert.ok((await read(stream)).equals(expectedBytes(chunks, bytes)));
        assert.is(reply.answers, 1);
      }
    });
  });
}

test("a known length arrives with the head", async () => {
  await withCore(pool, oneWorker, async ({ submit }) => {
    const { chunks, bytes } = await submit(requestOf("/known-length")).stream();
    assert.is(bytes, 15);
    assert.ok((await read(chunks)).equals(expectedBytes(3, 5)));
  });
});

test("a stream that fails gives what it had made, then its error; its worker lives", async () => {
  await withCore(pool, oneWorker, async ({ submit, context }) => {
    const { chunks } = await submit(requestOf("/chunks", { query: "chunks=3&bytes=10&fails" })).stream();
    const parts: Uint8Array[] = [];
    try {
      for (let { done, value } = await chunks.next(); !done; { done, value } = await chunks.next()) parts.push(value);
      assert.unreachable();
    } catch (error) {
      assert.is((error as Error).message, "failed on purpose");
      assert.match((error as Error).stack ?? "", "at counted", "where it was thrown");
    }
    assert.ok(Buffer.concat(parts).equals(expectedBytes(3, 10)));
    assert.is((await chunks.next()).done, true);
    assert.is(context.stats.get(Counter.workersLost), 0);
  });
});

test("a reader that takes nothing holds its stream after the window, and others go on", async () => {
  await withCore(pool, oneWorker, async (bare) => {
    const bytes = 1000;
    const { chunks } = await bare.submit(requestOf("/endless", { query: `bytes=${bytes}` })).stream();
    const other = await bare.submit(requestOf("/chunks", { query: "chunks=300&bytes=5000" })).stream();
    await read(other.chunks);
    // What had been made is here; the generator had no reason to make more.
    const inWindow = Math.ceil(WINDOW / (bytes + CHUNK_COST));
    let chunk = await chunks.next();
    let taken = 0;
    let last = -1;
    const look = (value: Uint8Array): void => {
      for (let at = 0; at < value.byteLength; at += bytes) {
        const made = new DataView(value.buffer, value.byteOffset + at).getFloat64(0);
        assert.is(made, last + 1, "in order, none missing");
        last = made;
      }
      taken += value.byteLength / bytes;
    };
    look(chunk.value);
    assert.ok(taken <= inWindow, `${taken} of ${inWindow}`);
    while (taken < 10 * inWindow) {
      chunk = await chunks.next();
      look(chunk.value);
    }
    await chunks.return?.();
    await untilCounts(bare, "2 0");
  });
});

test("a client that goes ends the generator and aborts the signal", async () => {
  await withCore(pool, oneWorker, async (bare) => {
    const replies = Array.from({ length: 20 }, () => bare.submit(requestOf("/silent")));
    const streams = await Promise.all(replies.map((reply) => reply.stream()));
    const waiting = streams.map(({ chunks }) => chunks.next());
    for (const [i, { chunks }] of streams.entries()) {
      replies[i]!.aborted = true;
      await chunks.return?.();
    }
    for (const result of await Promise.all(waiting)) assert.is(result.done, true);
    await untilCounts(bare, "20 20");
  });
});

test("a client that only wanted the head has not gone: the generator ends, the signal is left alone", async () => {
  await withCore(pool, oneWorker, async (bare) => {
    for (let i = 1; i <= 5; i++) {
      const { chunks } = await bare.submit(requestOf("/silent", { method: "HEAD" })).stream();
      await untilCounts(bare, `${i} 0`);
      assert.is((await chunks.next()).done, true);
    }
  });
});

test("a stream leaves its slot: more are open than the ring has slots, and requests are served beside them", async () => {
  await withCore(pool, { ...oneWorker, queue: 4 }, async (bare) => {
    const open: AsyncIterator<Uint8Array>[] = [];
    for (let i = 0; i < 50; i++) open.push((await bare.submit(requestOf("/silent")).stream()).chunks);
    for (let i = 0; i < 50; i++) {
      assert.match(await bare.submit(requestOf("/hello")).text(), "Hello");
    }
    assert.is(bare.context.stats.get(Counter.shed), 0);
    await Promise.all(open.map((chunks) => chunks.return?.()));
    await untilCounts(bare, "50 0");
  });
});

test("a worker that dies ends its streams with an error, and keeps what had arrived", async () => {
  await withCore(pool, oneWorker, async ({ submit, context }) => {
    const silent = await submit(requestOf("/silent")).stream();
    const { chunks } = await submit(requestOf("/first-then-exit")).stream();
    assert.is(Buffer.from((await chunks.next()).value).toString(), "first");
    for (const stream of [chunks, silent.chunks]) {
      try {
        await stream.next();
        assert.unreachable();
      } catch (error) {
        assert.match((error as Error).message, "the worker ended");
      }
    }
    assert.is(context.stats.get(Counter.workersLost), 1);
  });
});

test("a worker with an open stream is not retired; when that has ended it is", async () => {
  const elastic = { handlers, workers: { min: 1, max: 2 }, workerIdleMs: 20 };
  await withCore(pool, elastic, async ({ submit, context }) => {
    const { stats } = context;
    // Both workers have streams: the second one is started since the first is kept busy.
    const busy = Array.from({ length: 20 }, () => submit(requestOf("/cpu", { query: "us=20000" })));
    while (stats.get(Counter.workers) < 2) await new Promise(setImmediate);
    await Promise.all(busy.map((reply) => reply.response));
    const streams = await Promise.all(Array.from({ length: 40 }, () => submit(requestOf("/silent")).stream()));
    for (const { chunks } of streams.slice(1)) await chunks.return?.();
    while (stats.get(Counter.workers) > 1) await new Promise(setImmediate);
    assert.is(stats.get(Counter.workersLost), 0);
    const last = streams[0]!.chunks;
    const waiting = last.next();
    assert.match(await submit(requestOf("/hello")).text(), "Hello");
    await last.return?.();
    assert.is((await waiting).done, true, "it was not cut off");
  });
});

test("a server that stops ends its streams with an error", async () => {
  let waiting: Promise<IteratorResult<Uint8Array>> | undefined;
  await withCore(pool, oneWorker, async ({ submit }) => {
    waiting = (await submit(requestOf("/silent")).stream()).chunks.next();
    waiting.catch(() => {});
  });
  try {
    await waiting;
    assert.unreachable();
  } catch (error) {
    assert.match((error as Error).message, "stopped");
  }
});

test("a request that was given up has its stream ended when its head comes", async () => {
  await withCore(pool, { ...oneWorker, requestTimeoutMs: 300 }, async (bare) => {
    const reply = bare.submit(requestOf("/slow-stream", {}));
    assert.is((await reply.response).status, 504);
    await untilCounts(bare, "1 0");
    assert.is(reply.answers, 1);
  });
});

test.run();
