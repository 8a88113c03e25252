import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Histogram } from "../../src/load/histogram.js";
import { Series } from "../../src/load/series.js";

/** Books that a test writes by hand, one request after the other. */
function openBooks() {
  const books = { completed: 0, failed: 0, total: new Histogram() };
  const series = new Series(books);
  series.start(1000);
  return {
    complete(nowMs: number, latencyNs: number) {
      series.reach(nowMs);
      books.completed++;
      books.total.record(latencyNs);
    },
    fail(nowMs: number) {
      series.reach(nowMs);
      books.failed++;
    },
    finish: (nowMs: number) => series.finish(nowMs),
  };
}

const test = suite("series per second");

test("every second has its own counts and its own p99, and one in which nothing ended is there too", () => {
  const { complete, fail, finish } = openBooks();
  for (let i = 0; i < 200; i++) complete(1000 + i, 100 + i);
  fail(1500);
  // On the edge: the next second's.
  complete(2000, 2_000_000);
  for (let i = 0; i < 99; i++) complete(2001 + i, 1000);
  fail(4999);
  complete(5200, 50);
  assert.equal(finish(5300), [
    { completed: 200, errors: 1, p99: 297 },
    { completed: 100, errors: 0, p99: 1000 },
    { completed: 0, errors: 0, p99: 0 },
    { completed: 0, errors: 1, p99: 0 },
    { completed: 1, errors: 0, p99: 50 },
  ]);
});

test("a run that ends with a second has no empty one behind it", () => {
  const { complete, finish } = openBooks();
  complete(1999, 7);
  assert.equal(finish(2000), [{ completed: 1, errors: 0, p99: 7 }]);
});

test.run();
