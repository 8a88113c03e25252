import type { Socket } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { requestsPerSecond, windowSeconds, workSeconds } from "../../../../src/harness/drivers/rate.js";
import type { RunResult } from "../../../../src/harness/load/result/run-result.js";
import { type PartialWindow, windowOf } from "../../../../src/harness/load/tally/window.js";
import { inFlight } from "../../../../src/harness/validity/accounting.js";
import { accountedFor, against, good, liar, type Settings } from "../liar.js";

interface Straggling {
  readonly received: () => number;
  readonly server: ReturnType<typeof liar>;
}

/** Answers at once, but one of its answers comes so much later than request number `last` has arrived. */
function straggling(request: number, last: number, lateMs: number): Straggling {
  let count = 0;
  let held: Socket | undefined;
  const server = liar((socket: Socket) => {
    if (++count === request) held = socket;
    else socket.write(good);
    if (count === last) setTimeout(() => held?.write(good), lateMs);
  });
  return { received: () => count, server };
}

/** What holds of every run with a straggler that ends after the window: counts, latencies and rate. */
function checkStraggler(result: RunResult, received: number, concurrency: number, lateMs: number): void {
  const { window, completed, sent, latency } = result;
  const late = completed - window!.completed;
  assert.equal(
    [sent, accountedFor(result), received],
    [completed, completed, sent],
    "sent = completed = the server's count",
  );
  assert.is(latency.total.count, completed, "a straggler is a latency");
  assert.ok(latency.total.max >= (lateMs - 5) * 1e6, `longest ${latency.total.max}`);
  assert.ok(late >= 1 && late <= concurrency, `${late} completed after the window`);
  assert.ok(result.elapsedSeconds > windowSeconds(result), "the run lasted longer than its window");
  assert.is(requestsPerSecond(result), window!.completed / window!.seconds);
  assert.ok(requestsPerSecond(result) > completed / result.elapsedSeconds, "and its wait divides no rate");
  assert.ok(workSeconds(result) < result.elapsedSeconds);
  assert.ok(inFlight(result) <= concurrency * 1.001, `${inFlight(result)} in flight`);
  assert.ok(window!.latencyAfterSeconds > 0);
}

const test = suite("measured window");

for (const threads of [1, 2]) {
  test(`by time, ${threads} threads: a straggler is a latency and not a divisor`, async () => {
    const { server, received } = straggling(1, 1, 600);
    const settings: Settings = { threads, requests: Number.POSITIVE_INFINITY, durationMs: 200, concurrency: 5 };
    const result = await against(server, settings);
    assert.is(result.window?.seconds, 0.2);
    checkStraggler(result, received(), 5, 600);
  });

  test(`by count, ${threads} threads: the window ends with the start of the last request`, async () => {
    const { server, received } = straggling(1990, 2000, 300);
    const result = await against(server, { threads, requests: 2000, concurrency: 5 });
    assert.is(result.sent, 2000);
    checkStraggler(result, received(), 5, 300);
  });
}

test("what fails after the window is no success in it", async () => {
  const server = liar((socket, request) => {
    if (request < 20) socket.write(good);
  });
  const settings = { requests: Number.POSITIVE_INFINITY, durationMs: 800, concurrency: 2, timeoutMs: 900 };
  const result = await against(server, settings);
  assert.equal([result.completed, result.errors.timeout], [40, 2]);
  assert.is(result.window?.completed, 40);
  assert.is(result.window?.latencyAfterSeconds, 0);
});

test("in an open loop the window is the schedule's, and answers after it are none of its rate", async () => {
  const { server } = straggling(1, 1, 700);
  const result = await against(server, {
    requests: Number.POSITIVE_INFINITY,
    durationMs: 400,
    rate: 100,
    concurrency: 4,
  });
  assert.equal([result.sent, result.completed, result.window?.seconds], [40, 40, 0.4]);
  assert.ok(result.window!.completed < 40 && result.window!.completed > 0);
  assert.is(requestsPerSecond(result), result.window!.completed / 0.4);
});

test("a run of a request for each connection has no window of its own", async () => {
  const result = await against(
    liar((socket) => socket.write(good)),
    { requests: 4, concurrency: 4 },
  );
  assert.is(result.completed, 4);
  assert.is(result.window, undefined);
  assert.is(requestsPerSecond(result), 4 / result.elapsedSeconds);
});

test("a run that is stopped has the window up to there", async () => {
  const interruption = new AbortController();
  const server = liar((socket, request) => {
    if (request < 50) socket.write(good);
    else interruption.abort();
  });
  const settings = { requests: Number.POSITIVE_INFINITY, durationMs: 60_000, concurrency: 1 };
  const result = await against(server, settings, interruption.signal);
  assert.equal([result.completed, result.errors.interrupted], [50, 1]);
  assert.is(result.window?.completed, 50);
  assert.ok(result.window!.seconds <= result.elapsedSeconds);
});

test("the last request of all may be another thread's: what ended after its start is not in the window", () => {
  const part = (endsAfterMs: number, ...lastEndsMs: number[]): PartialWindow => ({
    endsAfterMs,
    lastEndsMs,
    completedAfter: 0,
  });
  const partials = [part(900, 910, 990), part(1000, 1000, 1500)];
  assert.equal(windowOf(partials, 100, false), { seconds: 1, completed: 99, latencyAfterSeconds: 0.5 });
  assert.is(windowOf(partials, 1, false), null);
  assert.equal(windowOf(partials, 1, true), { seconds: 1, completed: 0, latencyAfterSeconds: 0.5 });
});

test.run();
