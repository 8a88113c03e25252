import { createServer as createHttpServer, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Histogram } from "../../../../src/harness/load/histogram/histogram.js";
import { startGenerator } from "../../../../src/harness/load/start.js";
import { GeneratorThreads } from "../../../../src/harness/load/threads/threads.js";
import { LoopoolError } from "../../../../src/shared/errors.js";
import { accountedFor, against, freePort, good, liar, optionsFor } from "../liar.js";

const test = suite("threads of the generator");

for (const keepAlive of [true, false]) {
  test(`three threads are one run: every request counted once, by the server too (keep-alive ${keepAlive ? "on" : "off"})`, async () => {
    let received = 0;
    let connections = 0;
    const held: ServerResponse[] = [];
    const server = createHttpServer((_request, response) => {
      received++;
      held.push(response);
      // Until all connections are there: a thread that is late is to have something left.
      if (connections >= 7) for (const one of held.splice(0)) one.end("hello world");
    });
    server.on("connection", () => connections++);
    const result = await against(server, { threads: 3, requests: 401, concurrency: 7, keepAlive });
    assert.equal([result.sent, result.completed, result.requested, received], [401, 401, 401, 401]);
    assert.is(connections, keepAlive ? 7 : 401);
    assert.equal([result.concurrency, result.peakConnections], [7, 7]);
    assert.equal([result.keepAliveResponses, result.bodyBytes], [keepAlive ? 401 : 0, 401 * 11]);
    assert.equal([result.statusCounts, result.documentBytes], [{ 200: 401 }, 11]);
    for (const stored of Object.values(result.latency)) {
      const { count, counts } = Histogram.fromStored(stored).toStored();
      assert.is(count, 401);
      assert.is(
        counts.filter((_, index) => index % 2 === 1).reduce((sum, count) => sum + count, 0),
        401,
      );
    }
    assert.is(
      result.perSecond!.reduce((sum, { completed }) => sum + completed, 0),
      401,
    );
    assert.is(result.generator.threads, 3);
    assert.ok(result.generator.cpuUserMicros + result.generator.cpuSystemMicros > 0);
    assert.ok(result.generator.eventLoopUtilization > 0 && result.generator.eventLoopUtilization <= 1);
  });
}

test("no thread is done while another waits: what a slow connection leaves, the others send", async () => {
  let answered = 0;
  let held: Socket | undefined;
  const server = liar((socket) => {
    held ??= socket;
    if (socket !== held) {
      socket.write(good);
      answered++;
    }
    if (answered === 49) held.write(good);
  });
  const result = await against(server, { threads: 2, requests: 50, concurrency: 2, timeoutMs: 5000 });
  assert.equal([result.completed, accountedFor(result)], [50, 50]);
});

test("a duration ends all of them, and their seconds are those of one run", async () => {
  let received = 0;
  const server = liar((socket) => {
    received++;
    setTimeout(() => socket.write(good), 20);
  });
  const settings = { requests: Number.POSITIVE_INFINITY, durationMs: 1200, concurrency: 4 };
  const result = await against(server, { threads: 2, ...settings });
  assert.equal([result.completed, result.sent, result.requested], [received, received, received]);
  assert.ok(result.elapsedSeconds >= 1.2);
  const seconds = result.perSecond!;
  assert.is(seconds.length, Math.ceil(result.elapsedSeconds));
  assert.is(
    seconds.reduce((sum, { completed }) => sum + completed, 0),
    received,
  );
  for (const { p99 } of seconds) assert.ok(p99 >= 19e6 && p99 <= result.latency.total.max, `${p99} ns`);
});

test("they begin at one instant and assignment one even schedule", async () => {
  const arrivals: number[] = [];
  const server = liar((socket) => {
    arrivals.push(Date.now());
    socket.write(good);
  });
  const periodMs = 50;
  const settings = { rate: 1000 / periodMs, durationMs: 395, requests: Number.POSITIVE_INFINITY, concurrency: 4 };
  const result = await against(server, { threads: 3, ...settings });
  // Due after 0, 50, …, 350 ms.
  assert.equal([result.requested, result.completed, accountedFor(result), arrivals.length], [8, 8, 8, 8]);
  assert.equal([result.loop, result.openLoop!.lag.count], ["open", 8]);
  assert.ok(result.openLoop!.achievedRate > 0 && result.openLoop!.achievedRate <= 20.001);
  // However late a thread is, the first k requests are no earlier than a schedule of its own would send k at once.
  const startMs = Date.parse(result.startedAt);
  for (const [k, arrivalMs] of arrivals.entries()) {
    assert.ok(arrivalMs >= startMs + (k - 0.5) * periodMs, `request ${k} after ${arrivalMs - startMs} ms`);
  }
});

test("a rate that leaves a thread without a request is kept all the same", async () => {
  const settings = { rate: 10, durationMs: 50, requests: Number.POSITIVE_INFINITY, concurrency: 3 };
  const result = await against(
    liar((socket) => socket.write(good)),
    { threads: 3, ...settings },
  );
  assert.equal([result.requested, result.completed, accountedFor(result)], [1, 1, 1]);
});

for (const [what, bodies, bodySha256, errorClass] of [
  ["--verify: one body's hash", ["hello", "hellO"], "", "wrong-body"],
  ["one body's length", ["hello", "hello!"], null, "wrong-length"],
] as const) {
  test(`all threads hold the bodies against ${what}, that of the run's first success`, async () => {
    const numbers = new Map<Socket, number>();
    const sent = [0, 0];
    const server = liar((socket) => {
      const number = numbers.get(socket) ?? numbers.size;
      numbers.set(socket, number);
      sent[number]!++;
      // The first waits for the second, which else may find nothing left.
      if (numbers.size < 2) return;
      for (const [one, i] of numbers) {
        if (one !== socket && sent[1]! + sent[0]! > 2) continue;
        const body = bodies[i]!;
        one.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      }
    });
    const result = await against(server, { threads: 2, requests: 40, concurrency: 2, bodySha256 });
    assert.is(accountedFor(result), 40);
    assert.ok(sent[0]! > 0 && sent[1]! > 0, `the connections had ${sent}`);
    // Both may have had as many.
    const first = sent.findIndex(
      (count, i) => count === result.completed && bodies[i]!.length === result.documentBytes,
    );
    assert.ok(first >= 0, `${result.completed} completed of ${sent}`);
    assert.is(result.errors[errorClass], 40 - result.completed);
  });
}

test("latencies by the first byte of the body are merged byte by byte", async () => {
  const body = ["fast\n", "slow\n", "fast\n"];
  const server = liar((socket, request) => {
    const text = body[request % body.length]!;
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
  });
  const { totalByFirstByte } = await against(server, { threads: 2, concurrency: 2, byFirstByte: true });
  const counts = Object.values(totalByFirstByte).map(({ count }) => count);
  assert.equal(Object.keys(totalByFirstByte).sort(), ["f", "s"]);
  assert.is(counts[0]! + counts[1]!, 20);
});

test("stopped early they count what was under way as interrupted, and all that was sent is accounted for", async () => {
  const interruption = new AbortController();
  let answered = 0;
  const server = liar((socket) => {
    if (++answered <= 30) socket.write(good);
    else if (answered === 34) interruption.abort();
  });
  const settings = { threads: 2, requests: 1000, concurrency: 4 };
  const result = await against(server, settings, interruption.signal);
  assert.equal([result.completed, result.errors.interrupted, result.sent], [30, 4, 34]);
});

test("a run that is stopped before it begins sends nothing", async () => {
  const server = liar((socket) => socket.write(good));
  const result = await against(server, { threads: 2, rate: 100 }, AbortSignal.abort());
  assert.equal([result.sent, result.openLoop!.achievedRate], [0, 0]);
});

test("runs follow one another in the same threads, and one with fewer connections than threads is no error", async () => {
  let received = 0;
  const server = liar((socket) => {
    received++;
    socket.write(good);
  });
  const port = await new Promise<number>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port)),
  );
  const generator = startGenerator(3);
  try {
    const options = optionsFor(port, { concurrency: 4 });
    await generator.warmUp(options);
    assert.is(received, 0, "the warm-up of the generator's own code is not the server's business");
    const first = await generator.run({ ...options, requests: 2, concurrency: 2 });
    const second = await generator.run(options);
    assert.equal([first.completed, first.generator.threads], [2, 2]);
    assert.equal([second.completed, second.generator.threads, received], [20, 3, 22]);
  } finally {
    await generator.close();
    server.close();
  }
});

for (const [name, cause] of [
  ["dying-thread", /out of luck/],
  ["leaving-thread", /exit code 7/],
] as const) {
  test(`a ${name} ends the run with an error that says so, and does not hang it`, async () => {
    const threads = new GeneratorThreads(2, new URL(`../fixtures/${name}.js`, import.meta.url));
    const server = liar((socket) => socket.write(good));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = server.address() as { port: number };
      await threads.run(optionsFor(port, { requests: Number.POSITIVE_INFINITY, durationMs: 600_000 }));
      assert.unreachable();
    } catch (error) {
      assert.instance(error, LoopoolError);
      assert.is((error as LoopoolError).code, "GENERATOR_THREAD");
      assert.match((error as LoopoolError).message, cause);
      assert.match((error as LoopoolError).message, /thread \d of 2 .*--threads/);
    } finally {
      await threads.close();
      server.close();
    }
  });
}

test("nothing listening: all connections of all threads refused", async () => {
  const generator = startGenerator(2);
  try {
    const result = await generator.run(optionsFor(await freePort(), { requests: 100 }));
    assert.equal([result.errors["connect-refused"], result.sent], [100, 100]);
  } finally {
    await generator.close();
  }
});

test.run();
