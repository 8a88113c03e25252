import { once } from "node:events";
import type { Socket } from "node:net";
import { Worker } from "node:worker_threads";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Histogram } from "../../../../src/harness/load/histogram/histogram.js";
import { startGenerator } from "../../../../src/harness/load/start.js";
import { accountedFor, against, good, liar, optionsFor, type Settings } from "../liar.js";

const test = suite("open loop");

/** Runs against a server in another thread that stands still once. */
async function againstStall(stallMs: number, stallAtRequest: number, { threads = 1, ...settings }: Settings) {
  const worker = new Worker(new URL("../fixtures/stalling-server.js", import.meta.url), {
    workerData: { stallMs, stallAtRequest },
  });
  let stalledMs = 0;
  worker.on("message", (message: { stalledMs?: number }) => {
    stalledMs += message.stalledMs ?? 0;
  });
  const [{ port }] = (await once(worker, "message")) as [{ port: number }];
  const generator = startGenerator(threads);
  try {
    return { result: await generator.run(optionsFor(port, settings)), stalledMs };
  } finally {
    await generator.close();
    await worker.terminate();
  }
}

for (const { stallMs, seconds, rate, threads } of [
  { stallMs: 2000, seconds: 10, rate: 200, threads: 1 },
  { stallMs: 400, seconds: 2, rate: 1000, threads: 2 },
]) {
  test(`a stall of ${stallMs} ms in ${seconds} s shows in the percentiles as arithmetic says, however few the connections (threads: ${threads})`, async () => {
    // A request that is due u seconds into a stall of S waits S − u at least. So of R·T requests R·(S − x) wait longer than x, and the
    // p-th percentile is at least S − (1 − p)·T: for 2 s in 10 s a p99 of 1.9 s.
    const count = rate * seconds;
    const settings = { rate, durationMs: seconds * 1000, requests: Number.POSITIVE_INFINITY, concurrency: 5, threads };
    const { result, stalledMs } = await againstStall(stallMs, count / 4, settings);
    assert.ok(stalledMs >= stallMs - 1, `the server stood still for ${stalledMs} ms`);
    assert.equal([result.completed, accountedFor(result), result.requested], [count, count, count]);
    const total = Histogram.fromStored(result.latency.total);
    const graceMs = 2 * (1000 / rate);
    for (const percentile of [85, 90, 95, 99, 99.9, 100]) {
      const leastMs = stalledMs - (1 - percentile / 100) * seconds * 1000 - graceMs;
      const foundMs = total.valueAtPercentile(percentile) / 1e6;
      assert.ok(foundMs >= leastMs, `p${percentile}: ${foundMs} ms, at least ${leastMs}`);
    }
    assert.ok(total.valueAtPercentile(50) / 1e6 < stalledMs / 2, "four fifths of the requests are due when it serves");
    assert.ok(result.openLoop!.lag.max / 1e6 >= stalledMs - 10 * (1000 / rate), "requests waited for a connection");
    // The second in which it ends has answered all that waited: of what is due in a second, 1% is all that can be above its p99.
    const worst = Math.max(...result.perSecond!.map(({ p99 }) => p99)) / 1e6;
    assert.ok(worst >= stalledMs - 0.01 * (stalledMs + 1000) - graceMs, `${worst} ms is the p99 of the worst second`);
  });
}

test("in a closed loop the same stall is one slow request on each connection, and p99 does not see it", async () => {
  const { result, stalledMs } = await againstStall(400, 500, { requests: 2000, concurrency: 5 });
  assert.is(result.completed, 2000);
  assert.ok(Histogram.fromStored(result.latency.total).valueAtPercentile(99) / 1e6 < stalledMs / 2);
});

test("it sends at the rate asked for, as many as the duration holds, and no faster", async () => {
  let received = 0;
  const server = liar((socket) => {
    received++;
    socket.write(good);
  });
  const result = await against(server, { rate: 200, durationMs: 505, requests: Number.POSITIVE_INFINITY });
  // Due at 0, 5, …, 500 ms.
  assert.equal([result.requested, result.completed, received, result.loop], [101, 101, 101, "open"]);
  assert.ok(result.elapsedSeconds >= 0.5, `${result.elapsedSeconds} s`);
  const { achievedRate, lag, pacing, rate } = result.openLoop!;
  assert.is(rate, 200);
  assert.ok(achievedRate > 0 && achievedRate <= 200.001, `${achievedRate}/s`);
  assert.is(lag.count, 101);
  assert.ok(pacing.count > 0 && pacing.count <= 101 && pacing.max <= lag.max);
  // Late at the last request: the rate is as much lower.
  assert.ok(result.latency.total.min >= result.latency.processing.min);
});

test("a number of requests ends it before its duration does", async () => {
  const result = await against(
    liar((socket) => socket.write(good)),
    { rate: 1000, durationMs: 60_000, requests: 50 },
  );
  assert.equal([result.requested, result.completed], [50, 50]);
});

test("the connections take turns", async () => {
  const perConnection = new Map<Socket, number>();
  const server = liar((socket) => {
    perConnection.set(socket, (perConnection.get(socket) ?? 0) + 1);
    socket.write(good);
  });
  const result = await against(server, { rate: 200, requests: 40, concurrency: 4 });
  assert.is(result.completed, 40);
  assert.is(result.peakConnections, 4);
  const counts = [...perConnection.values()];
  assert.is(counts.length, 4);
  // Ten each, as far as none was late.
  assert.ok(Math.min(...counts) >= 5, `requests of the connections: ${counts}`);
});

test("a server that is too slow for the rate: the latencies grow with the backlog, and the rate achieved says so", async () => {
  // 100 answers a second at most.
  const server = liar((socket) => setTimeout(() => socket.write(good), 10));
  const result = await against(server, { rate: 1000, requests: 100, concurrency: 1 });
  assert.is(result.completed, 100);
  assert.ok(result.openLoop!.achievedRate <= 101, `${result.openLoop!.achievedRate}/s`);
  // The last one was due after 99 ms, and is answered after 100 · 10 ms at the earliest; timers may be a millisecond early.
  assert.ok(result.latency.total.max >= (100 * 9 - 99) * 1e6);
  assert.ok(result.latency.processing.max < result.latency.total.max);
  assert.is(result.openLoop!.pacing.count, 1, "only the first found its connection free");
});

test("what waits for a connection for longer than the timeout is given up, counted, and never sent", async () => {
  let received = 0;
  const server = liar(() => received++);
  const result = await against(server, { rate: 400, requests: 40, concurrency: 2, timeoutMs: 100 });
  assert.equal([result.completed, accountedFor(result), result.sent], [0, 40, 40]);
  assert.ok(result.errors["not-sent"] > 0);
  assert.is(result.errors.timeout, received);
  assert.is(result.openLoop!.lag.count, received);
});

test("a connection that the server closes between two requests is no error: the next one makes a new one", async () => {
  let connections = 0;
  const server = liar((socket) => socket.end(good));
  server.on("connection", () => connections++);
  const result = await against(server, { rate: 5, requests: 4, concurrency: 1 });
  assert.equal([result.completed, accountedFor(result), connections], [4, 4, 4]);
});

test("bytes that come unasked between two requests end the connection, and are not taken for an answer", async () => {
  let connections = 0;
  const server = liar((socket) => {
    socket.write(good);
    setTimeout(() => socket.write(good), 20);
  });
  server.on("connection", () => connections++);
  const result = await against(server, { rate: 5, requests: 4, concurrency: 1 });
  assert.equal([result.completed, result.sent, connections], [4, 4, 4]);
});

test("without keep-alive every request makes a connection at its time", async () => {
  let connections = 0;
  const server = liar((socket) => socket.end(good.replace("\r\n", "\r\nConnection: close\r\n")));
  server.on("connection", () => connections++);
  const result = await against(server, { rate: 500, requests: 100, keepAlive: false });
  assert.equal([result.completed, connections], [100, 100]);
  assert.ok(result.latency.connect.min > 0);
});

test("stopped early it counts what was under way as interrupted and waits for no intended time", async () => {
  const interruption = new AbortController();
  let answered = 0;
  const server = liar((socket) => {
    if (++answered <= 10) socket.write(good);
    else if (answered === 12) interruption.abort();
  });
  const result = await against(server, { rate: 200, requests: 100_000, concurrency: 4 }, interruption.signal);
  const { completed, errors, sent, requested } = result;
  assert.equal([completed + errors.interrupted, accountedFor(result), requested], [sent, sent, 100_000]);
  // Of the twelve that had come, up to four were under way; more may have been due on a busy machine.
  assert.ok(
    completed >= 8 && completed <= 10 && errors.interrupted >= 2 && errors.interrupted <= 4,
    `${completed} completed`,
  );
});

test("a run that is stopped before it begins sends nothing", async () => {
  const server = liar((socket) => socket.write(good));
  const result = await against(server, { rate: 100 }, AbortSignal.abort());
  assert.equal([result.sent, result.openLoop!.achievedRate], [0, 0]);
});

for (const threads of [1, 2]) {
  test(`random arrivals: exactly the number asked for, at the rate, and the result says how (threads: ${threads})`, async () => {
    let received = 0;
    const server = liar((socket) => {
      received++;
      socket.write(good);
    });
    const settings = {
      rate: 500,
      durationMs: 400,
      requests: Number.POSITIVE_INFINITY,
      arrivals: "poisson",
      seed: 9,
    } as const;
    const { requested, completed, openLoop, window } = await against(server, { threads, ...settings });
    assert.equal([requested, completed, received], [200, 200, 200]);
    assert.equal([openLoop!.arrivals, openLoop!.seed, openLoop!.rate, window!.seconds], ["poisson", 9, 500, 0.4]);
    assert.ok(openLoop!.achievedRate <= 500.001 && openLoop!.achievedRate > 0);
    assert.is(openLoop!.waited, openLoop!.lag.count - openLoop!.pacing.count);
  });
}

test("connections are made as requests need them: one for a fast server, one for each that waits for a slow one", async () => {
  const settings = { growing: true, concurrency: 50, rate: 100, requests: 20, arrivals: "even" } as const;
  let held: (() => void)[] = [];
  const slow = liar((socket) => {
    held.push(() => socket.write(good));
    if (held.length === 20) for (const answer of held) answer();
  });
  const waiting = await against(slow, settings);
  assert.equal([waiting.completed, waiting.peakConnections, waiting.concurrency], [20, 20, 20]);
  assert.equal([waiting.openLoop!.waited, waiting.openLoop!.connectionsAllowed], [0, 50]);
  held = [];
  const two = liar((socket) => {
    held.push(() => socket.write(good));
    if (held.length === 2) for (const answer of held.splice(0)) answer();
  });
  const limited = await against(two, { ...settings, concurrency: 2 });
  assert.equal([limited.completed, limited.peakConnections], [20, 2]);
});

test("where the connections are the limit the result says how many requests waited", async () => {
  const server = liar((socket) => setTimeout(() => socket.write(good), 20));
  const result = await against(server, { rate: 200, requests: 40, concurrency: 1, arrivals: "even" });
  assert.is(result.completed, 40);
  assert.ok(result.openLoop!.waited! >= 30, `${result.openLoop!.waited} waited`);
});

test("a run whose connections grow can be stopped before it begins", async () => {
  const server = liar((socket) => socket.write(good));
  const result = await against(server, { rate: 100, growing: true }, AbortSignal.abort());
  assert.equal([result.sent, result.concurrency], [0, 1]);
});

test.run();
