import { createServer as createHttpServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { ErrorClass, RunResult } from "../../../../src/harness/load/result/run-result.js";
import { run } from "../../../../src/harness/load/run/run.js";
import { accountedFor, against, good, liar, optionsFor, type Settings } from "../liar.js";

const test = suite("load generator");

const lies: readonly {
  name: string;
  class: ErrorClass;
  settings?: Settings;
  /** A busy machine needs more patience. */
  answer: (socket: Socket, patience: number) => void;
}[] = [
  { name: "resets instead of answering", class: "reset", answer: (socket) => socket.resetAndDestroy() },
  {
    name: "resets in the middle of a body",
    class: "reset",
    answer: (socket, patience) => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello");
      // To a client that has not read this by then, Linux and libuv would show an ordinary end instead of the reset.
      setTimeout(() => socket.resetAndDestroy(), 20 * patience);
    },
  },
  { name: "closes before it answers", class: "closed-early", answer: (socket) => socket.end() },
  {
    name: "promises 100 bytes, sends 50 and closes",
    class: "short-body",
    answer: (socket) => socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n${"x".repeat(50)}`),
  },
  {
    name: "closes in the middle of its chunks",
    class: "short-body",
    answer: (socket) => socket.end("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
  },
  {
    name: "closes in the middle of its head",
    class: "short-body",
    answer: (socket) => socket.end("HTTP/1.1 200 OK\r\nCont"),
  },
  { name: "never answers", class: "timeout", settings: { timeoutMs: 60 }, answer: () => {} },
  {
    name: "stops in the middle of a body",
    class: "timeout",
    settings: { timeoutMs: 60 },
    answer: (socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello"),
  },
  {
    name: "sends its body a byte at a time and never the last one",
    class: "timeout",
    settings: { timeoutMs: 60 },
    answer: (socket) => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
      const drip = setInterval(() => socket.write("x"), 5);
      socket.on("close", () => clearInterval(drip));
    },
  },
  {
    name: "sends more than its chunks",
    class: "long-body",
    answer: (socket) =>
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nhello"),
  },
  {
    name: "sends a body where none may be",
    class: "long-body",
    answer: (socket) => socket.write("HTTP/1.1 204 No Content\r\n\r\nhello"),
  },
  {
    name: "answers with another body than asked for",
    class: "wrong-body",
    // SHA-256 of the three bytes "abc": FIPS 180-2, appendix B.1.
    settings: { bodySha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    answer: (socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabd"),
  },
  { name: "sends more than it promised", class: "long-body", answer: (socket) => socket.write(`${good}!`) },
  { name: "speaks another protocol", class: "malformed", answer: (socket) => socket.write("220 smtp ready\r\n\r\n") },
  {
    name: "answers everything with 505",
    class: "unexpected-status",
    answer: (socket) => socket.write("HTTP/1.1 505 HTTP Version Not Supported\r\nContent-Length: 0\r\n\r\n"),
  },
];

/** What a busy machine may show in the place of a class: a reset as an ordinary end, and a connect that took all of the time. */
const mistaken: Partial<Record<ErrorClass, ErrorClass>> = { reset: "short-body", timeout: "connect-timeout" };

/** As `against`, again with more patience where one class was taken for another. */
async function lied(
  { class: expected, settings, answer }: (typeof lies)[number],
  more: Settings,
  isGood = (_answered: number): boolean => false,
): Promise<RunResult> {
  for (let patience = 1; ; patience *= 2) {
    let answered = 0;
    const server = liar((socket) => {
      if (isGood(answered++)) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
      else answer(socket, patience);
    });
    const { timeoutMs = 10_000, ...others } = { ...settings, ...more };
    const result = await against(server, { ...others, timeoutMs: timeoutMs * patience });
    const other = mistaken[expected];
    if (other === undefined || result.errors[other] === 0 || patience > 100) return result;
  }
}

for (const lie of lies) {
  const { name, class: expected } = lie;
  for (const keepAlive of [true, false]) {
    test(`a server that ${name} (keep-alive ${keepAlive ? "on" : "off"}): all ${expected}, none completed`, async () => {
      const result = await lied(lie, { keepAlive });
      assert.is(result.errors[expected], 20);
      assert.is(result.completed, 0);
      assert.is(result.sent, 20);
      assert.is(accountedFor(result), 20);
      assert.is(result.latency.total.count, 0, "failures have no latency");
    });
  }
}

for (const lie of lies) {
  const { name, class: expected } = lie;
  test(`a server that ${name}, loaded by three threads: all ${expected}, none completed`, async () => {
    const result = await lied(lie, { threads: 3 });
    assert.equal([result.errors[expected], result.completed, result.sent, accountedFor(result)], [20, 0, 20, 20]);
  });
}

for (const lie of lies) {
  const { name, class: expected } = lie;
  test(`a server that ${name} every second time: the next request is served, on a new connection where the old one is lost`, async () => {
    const result = await lied(lie, { requests: 6, concurrency: 1 }, (answered) => answered % 2 === 1);
    assert.equal([result.errors[expected], result.completed, result.sent], [3, 3, 6]);
  });
}

test("nothing listening: all connections refused", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const result = await run(optionsFor(port, { requests: 500 }));
  assert.is(result.errors["connect-refused"], 500);
  assert.is(accountedFor(result), 500);
});

test("a body of another length than the first is no success", async () => {
  let answered = 0;
  const server = liar((socket) => {
    const body = answered++ % 2 === 0 ? "hello" : "hello!";
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  });
  const result = await against(server, { concurrency: 1 });
  assert.is(result.completed, 10);
  assert.is(result.errors["wrong-length"], 10);
  assert.is(result.documentBytes, 5);
});

test("the length expected is that of the first success, not of an error before it", async () => {
  let answered = 0;
  const server = liar((socket) => {
    if (answered++ === 0) socket.write("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy");
    else socket.write(good);
  });
  const result = await against(server, { concurrency: 1 });
  assert.is(result.completed, 19);
  assert.is(result.errors["unexpected-status"], 1);
  assert.is(result.documentBytes, 5);
});

test("a server that breaks every third connection: each failure is followed by a new connection and counted once", async () => {
  let answered = 0;
  const server = liar((socket) => {
    if (++answered % 3 === 0) socket.resetAndDestroy();
    else socket.write(good);
  });
  const result = await against(server, { requests: 300, concurrency: 1 });
  assert.is(result.completed, 200);
  assert.is(result.errors.reset, 100);
  assert.is(result.latency.total.count, 200);
});

const site: RequestListener = (request, response) => {
  if (request.url?.startsWith("/chunked")) {
    response.write("hello ");
    response.end("world");
  } else {
    response.end("hello world");
  }
};

for (const path of ["/", "/chunked"]) {
  for (const keepAlive of [true, false]) {
    test(`node:http ${path}, keep-alive ${keepAlive ? "on" : "off"}: every request completed and counted by the server too`, async () => {
      let received = 0;
      let connections = 0;
      const server = createHttpServer((request, response) => {
        received++;
        site(request, response);
      });
      server.on("connection", () => connections++);
      const result = await against(server, { path, keepAlive, requests: 400, concurrency: 8 });
      assert.is(received, 400);
      assert.is(result.completed, 400);
      assert.is(accountedFor(result), result.sent);
      assert.is(connections, keepAlive ? 8 : 400);
      assert.is(result.keepAliveResponses, keepAlive ? 400 : 0);
      assert.is(result.peakConnections, 8);
      assert.is(result.documentBytes, 11);
      assert.is(result.bodyBytes, 4400);
      assert.equal(result.statusCounts, { 200: 400 });
      assert.ok(result.latency.waiting.sum <= result.latency.processing.sum);
    });
  }
}

test("a stall in the server shows in the longest latency, and the mean keeps Little's law", async () => {
  let answered = 0;
  const server = liar((socket) => {
    if (++answered === 50) setTimeout(() => socket.write(good), 300);
    else socket.write(good);
  });
  const result = await against(server, { requests: 100, concurrency: 1 });
  assert.ok(result.latency.processing.max >= 290e6);
  const meanSeconds = result.latency.total.sum / result.completed / 1e9;
  const inFlight = (result.completed / result.elapsedSeconds) * meanSeconds;
  assert.ok(inFlight > 0.5 && inFlight <= 1.001, `${inFlight} requests in flight on one connection`);
});

test("stopped early it counts what was under way as interrupted, and all that was sent is accounted for", async () => {
  const interruption = new AbortController();
  let answered = 0;
  const server = liar((socket) => {
    if (++answered <= 30) socket.write(good);
    else if (answered === 34) interruption.abort();
  });
  const result = await against(server, { requests: 1000, concurrency: 4 }, interruption.signal);
  assert.is(result.completed, 30);
  assert.is(result.errors.interrupted, 4);
  assert.is(result.sent, 34);
});

test("asked to, records latencies by the first byte of the body, and every completed request in one of them", async () => {
  const body = ["fast\n", "slow\n", "fast\n"];
  const server = liar((socket, request) => {
    const text = body[request % body.length]!;
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
  });
  const { completed, totalByFirstByte } = await against(server, { requests: 9, concurrency: 1, byFirstByte: true });
  assert.is(completed, 9);
  const counts = Object.entries(totalByFirstByte).map(([first, { count }]) => [first, count]);
  assert.equal(Object.fromEntries(counts), { f: 6, s: 3 });
});

test("unasked it keeps no latencies by the first byte", async () => {
  const { completed, totalByFirstByte } = await against(liar((socket) => socket.write(good)));
  assert.equal([completed, totalByFirstByte], [20, {}]);
});

test("with --verify a body of the same length with other bytes is no success", async () => {
  let answered = 0;
  const server = liar((socket) => {
    const body = answered++ % 4 === 3 ? "hellO" : "hello";
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n${body}`);
  });
  const result = await against(server, { concurrency: 1, bodySha256: "" });
  assert.equal([result.completed, result.errors["wrong-body"], result.errors["wrong-length"]], [15, 5, 0]);
  // From `printf hello | sha256sum`.
  assert.is(result.bodySha256, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
});

test("bytes are counted: of all that was read, and of the bodies", async () => {
  const result = await against(liar((socket) => socket.write(good)));
  assert.equal([result.totalBytes, result.bodyBytes, result.documentBytes], [20 * good.length, 20 * 5, 5]);
});

test("without --verify bodies are not looked at", async () => {
  let answered = 0;
  const server = liar((socket) => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell${answered++ % 10}`));
  const result = await against(server);
  assert.equal([result.completed, result.bodySha256], [20, undefined]);
});

test("a duration ends a closed loop: what is under way then is waited for, and nothing is lost", async () => {
  let received = 0;
  const server = liar((socket) => {
    received++;
    setTimeout(() => socket.write(good), 30);
  });
  const result = await against(server, { requests: Number.POSITIVE_INFINITY, durationMs: 200 });
  assert.ok(result.elapsedSeconds >= 0.2);
  assert.ok(result.completed >= 4, `${result.completed} completed`);
  assert.is(result.completed, received);
  assert.equal([result.sent, result.requested, result.requestedSeconds], [received, received, 0.2]);
});

test("a number of requests ends a run before its duration does", async () => {
  const result = await against(
    liar((socket) => socket.write(good)),
    { durationMs: 60_000 },
  );
  assert.equal([result.completed, result.requested, result.requestedSeconds], [20, 20, 60]);
});

test("the longest delay of the generator's event loop is in ms: no shorter than what held it, and no longer than the run", async () => {
  // Server and generator have one event loop here.
  const heldMs = 100;
  const server = liar((socket, request) => {
    const endMs = performance.now() + (request === 2 ? heldMs : 0);
    while (performance.now() < endMs) {}
    setTimeout(() => socket.write(good), 5);
  });
  const { generator, elapsedSeconds } = await against(server, { requests: 100, concurrency: 1 });
  // Ticks of 20 ms notice it, so that two may be missing.
  assert.ok(generator.eventLoopDelayMaxMs >= heldMs - 40, `${generator.eventLoopDelayMaxMs} ms`);
  assert.ok(generator.eventLoopDelayMaxMs <= elapsedSeconds * 1000, `${generator.eventLoopDelayMaxMs} ms`);
});

test("the seconds of a run add up to the run", async () => {
  let answered = 0;
  const server = liar((socket) => {
    const status = answered++ % 5 === 4 ? "503 Busy" : "200 OK";
    setTimeout(() => socket.write(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`), 5);
  });
  const result = await against(server, { requests: Number.POSITIVE_INFINITY, durationMs: 1200 });
  const seconds = result.perSecond!;
  assert.is(seconds.length, Math.ceil(result.elapsedSeconds));
  const sum = (of: "completed" | "errors") => seconds.reduce((total, second) => total + second[of], 0);
  assert.equal([sum("completed"), sum("errors")], [result.completed, result.errors["unexpected-status"]]);
  assert.ok(result.errors["unexpected-status"] > 0);
  for (const { completed, p99 } of seconds) assert.ok(completed > 0 && p99 <= result.latency.total.max && p99 >= 4e6);
});

test.run();
