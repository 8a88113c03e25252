import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { pool } from "../../src/pool/pool.js";
import { defaultConfig } from "../../src/shared/default-config.js";
import { NO_BODY } from "../../src/shared/handlers/handler.js";
import type { ServerRequest } from "../../src/shared/handlers/request.js";
import { Counter } from "../../src/shared/stats/stats.js";
import { type BareCore, type HeldReply, withCore } from "../support/core.js";
import { requestOf } from "../support/requests.js";

const handlers = fileURLToPath(new URL("./fixtures/streams.js", import.meta.url));
const oneWorker = { handlers, workers: { min: 1, max: 1 } };

const test = suite("pool: requests with bodies");

function post(path: string, body: Uint8Array = NO_BODY, query = ""): ServerRequest {
  const request = requestOf(path, { method: "POST", query });
  request.body = body;
  return request;
}

function upload(path: string, stream: AsyncIterable<Uint8Array>, query = ""): ServerRequest {
  const request = requestOf(path, { method: "POST", query });
  request.stream = stream;
  return request;
}

async function untilCounts({ submit }: BareCore, expected: string): Promise<void> {
  while ((await submit(requestOf("/counts")).text()) !== `${expected}\n`) {}
}

async function bytesOf(reply: HeldReply): Promise<Buffer> {
  const { status, body } = await reply.response;
  assert.is(status, 200);
  return Buffer.from(body as Uint8Array);
}

test("bodies of every size arrive as they are, whether the handler answers at once or later", async () => {
  await withCore(pool, oneWorker, async ({ submit }) => {
    for (const bytes of [0, 1, 100, 424, 425, 426, 1024, 16_384, 16_385, 65_537, 2 ** 20]) {
      const body = Uint8Array.from({ length: bytes }, (_, i) => (i * 7 + bytes) & 255);
      for (const path of ["/echo-body", "/later"]) {
        assert.ok((await bytesOf(submit(post(path, body)))).equals(body), `${path} with ${bytes} bytes`);
      }
    }
  });
});

test("any method arrives as it came", async () => {
  await withCore(pool, oneWorker, async ({ submit }) => {
    for (const method of ["GET", "POST", "PUT", "DELETE", "PATCH", "PURGE", "M-SEARCH", "x"]) {
      const request = requestOf("/body", { method });
      request.body = Buffer.from("abc");
      assert.is(await submit(request).text(), `${method} 3 294`);
    }
  });
});

test("bodies that wait are bounded; more get a 503, and all is free again when the worker dies", async () => {
  const limits = { ...defaultConfig().limits, maxBodyBytes: 2 ** 17 };
  const settings = { ...oneWorker, bodyMemoryBytes: 2 ** 20, limits };
  await withCore(pool, settings, async ({ submit, context }) => {
    const body = new Uint8Array(2 ** 17).fill(1);
    for (let round = 1; round <= 5; round++) {
      // It holds eight at most while it dies, and its successor is not there yet.
      submit(post("/exits"));
      const replies = Array.from({ length: 20 }, () => submit(post("/body", body)));
      const statuses = await Promise.all(replies.map(async ({ response }) => (await response).status));
      const served = statuses.filter((status) => status !== 503).length;
      assert.ok(served <= 8 && served > 0, `${served}`);
      assert.is(context.stats.get(Counter.bodyMemory), 0);
      for (const reply of replies) assert.is(reply.answers, 1);
    }
  });
});

test("a handler's signal is aborted when its client goes; one that never looks at it goes on", async () => {
  await withCore(pool, oneWorker, async (bare) => {
    const { core, submit } = bare;
    const waiting = Array.from({ length: 10 }, () => submit(requestOf("/until-aborted")));
    // Answered after them, so that they have begun.
    await submit(requestOf("/counts")).response;
    for (const reply of waiting) {
      reply.aborted = true;
      core.abandon(reply);
    }
    for (const reply of waiting) assert.is(await reply.text(), "aborted\n");
    await untilCounts(bare, "0 10");
  });
});

test("a request that takes too long has its signal aborted", async () => {
  await withCore(pool, { ...oneWorker, requestTimeoutMs: 200 }, async (bare) => {
    const reply = bare.submit(requestOf("/until-aborted"));
    assert.is((await reply.response).status, 504);
    await untilCounts(bare, "0 1");
    assert.is(reply.answers, 1);
  });
});

const streams = suite("pool: bodies that are read while they arrive");

/** A body in chunks; how many of them were asked for, and whether it was ended early. */
function source(chunks: number, bytes: number, failure?: Error) {
  const state = { asked: 0, returned: 0 };
  const stream: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({
      async next() {
        if (state.asked === chunks) {
          if (failure !== undefined) throw failure;
          return { done: true, value: undefined };
        }
        state.asked++;
        return { done: false, value: new Uint8Array(bytes).fill(1) };
      },
      async return() {
        state.returned++;
        return { done: true, value: undefined };
      },
    }),
  };
  return { state, stream };
}

for (const [name, chunks, bytes] of [
  ["none", 0, 0],
  ["one byte a time", 3000, 1],
  ["large ones", 40, 100_000],
  ["one that is larger than the window", 2, 2 ** 20],
] as const) {
  streams(`all chunks arrive: ${name}`, async () => {
    await withCore(pool, oneWorker, async ({ submit }) => {
      const bodies = Array.from({ length: 4 }, () => source(chunks, bytes));
      const replies = bodies.map(({ stream }) => submit(upload("/upload", stream)));
      for (const reply of replies) assert.is(await reply.text(), `${chunks * bytes} ${chunks * bytes}\n`);
      for (const { state } of bodies) assert.equal(state, { asked: chunks, returned: 0 });
    });
  });
}

streams("what comes in goes out again, as long as the response lasts", async () => {
  await withCore(pool, oneWorker, async ({ submit }) => {
    const { state, stream } = source(300, 5000);
    const { chunks } = await submit(upload("/echo-upload", stream)).stream();
    let bytes = 0;
    for (let { done, value } = await chunks.next(); !done; { done, value } = await chunks.next())
      bytes += value.byteLength;
    assert.is(bytes, 1_500_000);
    assert.equal(state, { asked: 300, returned: 0 });
  });
});

streams("a response whose client goes ends the body that it reads", async () => {
  await withCore(pool, oneWorker, async ({ submit }) => {
    const { state, stream } = source(Number.POSITIVE_INFINITY, 1000);
    const { chunks } = await submit(upload("/echo-upload", stream)).stream();
    await chunks.next();
    await chunks.return?.();
    while (state.returned === 0) await new Promise(setImmediate);
    assert.is(state.returned, 1);
  });
});

streams("no more is asked for than the handler reads and the window holds", async () => {
  await withCore(pool, oneWorker, async ({ submit }) => {
    const { state, stream } = source(Number.POSITIVE_INFINITY, 1000);
    assert.match(await submit(upload("/upload", stream, "limit=5000")).text(), /^\d+ \d+\n$/);
    while (state.returned === 0) await new Promise(setImmediate);
    assert.is(state.returned, 1);
    assert.ok(state.asked < 300, `${state.asked}`);
  });
});

streams("a body that nobody reads is not asked for", async () => {
  await withCore(pool, oneWorker, async ({ submit }) => {
    const { state, stream } = source(10, 10);
    assert.is(await submit(upload("/ignores-upload", stream)).text(), "ignored\n");
    assert.equal(state, { asked: 0, returned: 0 });
  });
});

streams("a client that goes in the middle is a throw in the handler, and the worker lives", async () => {
  await withCore(pool, oneWorker, async ({ submit, context }) => {
    const { stream } = source(3, 10, new Error("the client has gone"));
    const { status } = await submit(upload("/upload", stream)).response;
    assert.is(status, 500);
    assert.equal([context.stats.get(Counter.workersLost)], [0]);
  });
});

streams("a worker that dies gives its requests a 500 and ends their bodies", async () => {
  await withCore(pool, oneWorker, async ({ submit }) => {
    // A body of which the second chunk never comes.
    let returned = 0;
    let asked = 0;
    const stream = {
      [Symbol.asyncIterator]: () => ({
        next: () =>
          asked++ === 0
            ? Promise.resolve({ done: false, value: new Uint8Array(10) } as const)
            : new Promise<IteratorResult<Uint8Array>>(() => {}),
        return: async () => {
          returned++;
          return { done: true, value: undefined } as const;
        },
      }),
    };
    const reading = submit(upload("/upload", stream));
    while (asked < 2) await new Promise(setImmediate);
    const exits = submit(requestOf("/exits"));
    assert.is((await exits.response).status, 500);
    assert.is((await reading.response).status, 500);
    assert.is(returned, 1);
  });
});

test.run();
streams.run();
