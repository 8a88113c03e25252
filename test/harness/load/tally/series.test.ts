import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Histogram } from "../../../../src/harness/load/histogram/histogram.js";
import { Seconds, Series, type ThreadSecond } from "../../../../src/harness/load/tally/series.js";

/** Accounting that a test writes by hand, one request after the other. */
function newAccounting() {
  const accounting = { completed: 0, failed: 0, total: new Histogram() };
  const seconds: ThreadSecond[] = [];
  const series = new Series(accounting, (second) => seconds.push(second));
  series.start(1000);
  return {
    complete(nowMs: number, latencyNs: number) {
      series.reach(nowMs);
      accounting.completed++;
      accounting.total.record(latencyNs);
    },
    fail(nowMs: number) {
      series.reach(nowMs);
      accounting.failed++;
    },
    finish(nowMs: number) {
      series.finish(nowMs);
      return seconds;
    },
  };
}

/** The seconds of a run whose threads told of these, one thread after the other. */
function ofRun(...threads: readonly (readonly ThreadSecond[])[]) {
  const seconds = new Seconds(threads.length);
  for (const [thread, reported] of threads.entries()) for (const second of reported) seconds.add(thread, second);
  return seconds.finish();
}

const test = suite("series per second");

test("every second has its own counts and its own p99, and one in which nothing ended is there too", () => {
  const { complete, fail, finish } = newAccounting();
  for (let i = 0; i < 200; i++) complete(1000 + i, 100 + i);
  fail(1500);
  // On the edge: the next second's.
  complete(2000, 2_000_000);
  for (let i = 0; i < 99; i++) complete(2001 + i, 1000);
  fail(4999);
  complete(5200, 50);
  assert.equal(ofRun(finish(5300)), [
    { completed: 200, errors: 1, p99: 297 },
    { completed: 100, errors: 0, p99: 1000 },
    { completed: 0, errors: 0, p99: 0 },
    { completed: 0, errors: 1, p99: 0 },
    { completed: 1, errors: 0, p99: 50 },
  ]);
});

test("a run that ends with a second has no empty one behind it", () => {
  const { complete, finish } = newAccounting();
  complete(1999, 7);
  assert.equal(ofRun(finish(2000)), [{ completed: 1, errors: 0, p99: 7 }]);
});

test("a second of several threads has the p99 of all its latencies, which no mean of theirs is", () => {
  const fast = newAccounting();
  for (let i = 0; i < 990; i++) fast.complete(1000, 100);
  fast.complete(2000, 200);
  const slow = newAccounting();
  for (let i = 0; i < 10; i++) slow.complete(1999, 1500);
  slow.fail(1999);
  // Of 1,000 latencies 990 are 100 ns; of the slow thread's all are 1,500.
  assert.equal(ofRun(fast.finish(2100), slow.finish(2000)), [
    { completed: 1000, errors: 1, p99: 100 },
    { completed: 1, errors: 0, p99: 200 },
  ]);
});

test("threads may tell of their seconds in any order among each other", () => {
  const seconds = new Seconds(2);
  const reported = (latencyNs: number) => {
    const accounting = newAccounting();
    accounting.complete(1000, latencyNs);
    accounting.complete(2000, latencyNs);
    return accounting.finish(2500);
  };
  const [one, other] = [reported(10), reported(20)];
  for (const second of one) seconds.add(0, second);
  for (const second of other) seconds.add(1, second);
  const result = { completed: 2, errors: 0, p99: 20 };
  assert.equal(seconds.finish(), [result, result]);
});

test.run();
