import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { targetOf } from "../../../src/harness/load/request/options.js";
import { answersOf, differenceOf, sequenceFor, stateText } from "../../../src/harness/sweep/state-check.js";

const test = suite("state check");

const sequence = { requests: 24, concurrency: 6 };

/** Several listeners take requests in turn, as workers do; the answers of one server to the sequence. */
async function answers(listeners: readonly RequestListener[]) {
  let next = 0;
  const server = createServer((request, response) => listeners[next++ % listeners.length]!(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const options = {
    target: targetOf(`http://127.0.0.1:${port}/x`),
    requests: 1,
    concurrency: 1,
    keepAlive: true,
    timeoutMs: 9000,
    headers: [],
    byFirstByte: false,
  };
  try {
    return await answersOf(options, sequence, new AbortController().signal);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

function counter(): RequestListener {
  let count = 0;
  return (_, response) =>
    response.setHeader("Content-Type", "text/plain").end(`number ${String(++count).padStart(4, "0")}`);
}

const same: RequestListener = (_, response) => response.setHeader("Content-Type", "text/html").end("always");
const random: RequestListener = (_, response) => response.end(Math.random().toFixed(12));
const names = { core: "pool", base: "reactor" };

async function compared(make: () => RequestListener) {
  const [base, again, other] = [
    await answers([make()]),
    await answers([make()]),
    await answers([make(), make(), make()]),
  ];
  assert.is(base.length, sequence.requests);
  return differenceOf(names, base, again, other);
}

test("a counter that each worker has for itself is found, and said in words", async () => {
  const found = await compared(counter);
  assert.equal(found, { ...names, what: "body", requests: 24, answers: 8, baseAnswers: 24 });
  assert.match(
    stateText(found!),
    /24 requests got 24 different answers from the reactor and 8 from the pool: the application seems to keep state/,
  );
});

test("the same page from every worker, and what no two servers of one core repeat, are no difference", async () => {
  assert.is(await compared(() => same), null);
  assert.is(await compared(() => random), null);
});

test("status, type and length are compared in this order, also where bodies never repeat", async () => {
  const base = await answers([random]);
  const again = await answers([random]);
  const cases: readonly (readonly [RequestListener, string])[] = [
    [(_, response) => response.writeHead(500).end(), "status"],
    [(_, response) => response.setHeader("Content-Type", "text/html").end(Math.random().toFixed(12)), "type"],
    [(_, response) => response.end(Math.random().toFixed(10)), "length"],
  ];
  for (const [listener, what] of cases) {
    assert.is(differenceOf(names, base, again, await answers([listener]))?.what, what);
  }
});

test("a connection that breaks is an answer like no other", async () => {
  const cut: RequestListener = (request) => request.socket.destroy();
  const base = await answers([same]);
  assert.is(differenceOf(names, base, base, await answers([same, cut]))?.what, "status");
});

test("a slow handler is asked less, but each worker more than once", () => {
  assert.equal(sequenceFor(2, 1), { requests: 64, concurrency: 8 });
  assert.equal(sequenceFor(2, 5000), { requests: 8, concurrency: 8 });
  assert.ok(sequenceFor(16, 5000).requests >= 32);
});

test.run();
