import { createServer as createHttpServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { LoadOptions } from "../../src/load/options.js";
import { run } from "../../src/load/run.js";
import { type ErrorClass, errorClasses, type RunResult } from "../../src/load/run-result.js";

type Settings = Partial<LoadOptions> & { readonly path?: string };

/** Runs against a server that does with each connection what `behave` says, and ends the server. */
async function against(server: Server, settings: Settings = {}, signal?: AbortSignal): Promise<RunResult> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await run(optionsFor((server.address() as AddressInfo).port, settings), signal);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

function optionsFor(port: number, { path = "/", ...settings }: Settings): LoadOptions {
  const authority = `127.0.0.1:${port}`;
  return {
    target: { url: `http://${authority}${path}`, host: "127.0.0.1", port, path, authority },
    requests: 20,
    concurrency: 4,
    keepAlive: true,
    timeoutMs: 10_000,
    headers: [],
    byFirstByte: false,
    ...settings,
  };
}

/** A server that answers each request on each connection by calling `answer` with the socket and the request's number on it. */
function liar(answer: (socket: Socket, request: number) => void): Server {
  return createServer((socket) => {
    let count = 0;
    socket.on("data", (chunk) => {
      for (const _ of chunk.toString("latin1").matchAll(/\r\n\r\n/g)) answer(socket, count++);
    });
  });
}

function accountedFor(result: RunResult): number {
  return result.completed + errorClasses.reduce((sum, name) => sum + result.errors[name], 0);
}

const good = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

const test = suite("load generator");

const lies: readonly {
  name: string;
  class: ErrorClass;
  settings?: Settings;
  answer: (socket: Socket) => void;
}[] = [
  { name: "resets instead of answering", class: "reset", answer: (socket) => socket.resetAndDestroy() },
  {
    name: "resets in the middle of a body",
    class: "reset",
    answer: (socket) => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello");
      // At once, Linux and libuv would show the client an ordinary end instead of the reset.
      setTimeout(() => socket.resetAndDestroy(), 20);
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
  { name: "sends more than it promised", class: "long-body", answer: (socket) => socket.write(`${good}!`) },
  { name: "speaks another protocol", class: "malformed", answer: (socket) => socket.write("220 smtp ready\r\n\r\n") },
  {
    name: "answers everything with 505",
    class: "unexpected-status",
    answer: (socket) => socket.write("HTTP/1.1 505 HTTP Version Not Supported\r\nContent-Length: 0\r\n\r\n"),
  },
];

for (const { name, class: expected, settings, answer } of lies) {
  for (const keepAlive of [true, false]) {
    test(`a server that ${name} (keep-alive ${keepAlive ? "on" : "off"}): all ${expected}, none completed`, async () => {
      const result = await against(liar(answer), { keepAlive, ...settings });
      assert.is(result.errors[expected], 20);
      assert.is(result.completed, 0);
      assert.is(result.sent, 20);
      assert.is(accountedFor(result), 20);
      assert.is(result.latency.total.count, 0, "failures have no latency");
    });
  }
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

test.run();
