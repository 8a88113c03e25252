import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { ThreadSecond } from "../../../../src/harness/load/tally/series.js";
import { SharedRunState, sharedRunStateMemory } from "../../../../src/harness/load/tally/shared-run-state.js";
import { type Response, Tally } from "../../../../src/harness/load/tally/tally.js";

const KIND = { statuses: null, variableLength: false, bodySha256: null };
const OK: Response = { kind: 0, status: 200, bodyBytes: 11, firstByte: 0x66, sha256: "", reusable: true };

/** Accounting of one thread with two kinds of request, from 1,000 ms on. */
function newTally(requests = 10, others = 0) {
  const seconds: ThreadSecond[] = [];
  const tally = new Tally({
    requests,
    shared: new SharedRunState(sharedRunStateMemory(others, 2), 2),
    onSecond: (second) => seconds.push(second),
    byFirstByte: true,
    kinds: [
      { ...KIND, name: "one" },
      { ...KIND, name: "other" },
    ],
  });
  tally.series.start(1000);
  return { tally, seconds };
}

/** Times that are all different, ending at `nowMs`. */
const at = (nowMs: number, more = 0) => ({
  nowMs,
  connectMs: 1 + more,
  waitingMs: 2 + more,
  processingMs: 4 + more,
  totalMs: 8 + more,
});

const test = suite("accounting of a thread");

test("what ends in a second is that second's: successes, failures, and responses that are failures", () => {
  const { tally, seconds } = newTally();
  tally.respond(OK, at(1999));
  tally.fail("reset", 2000, 0);
  tally.fail("timeout", 2999, 1);
  tally.respond({ ...OK, status: 503 }, at(3000));
  tally.respond(OK, at(5000));
  tally.series.finish(5001);
  assert.equal(
    seconds.map(({ completed, errors }) => [completed, errors]),
    [
      [1, 0],
      [0, 2],
      [0, 1],
      [0, 0],
      [1, 0],
    ],
  );
});

test("each time goes into the histogram of its name, in ns, and only those of successes", () => {
  const { tally } = newTally();
  tally.respond(OK, at(1100));
  tally.respond({ ...OK, kind: 1, firstByte: 0x73 }, at(1200, 100));
  tally.respond({ ...OK, status: 404 }, at(1300, 1000));
  tally.fail("reset", 1400, 0);
  const [one, other] = tally.kinds;
  const found = { connect: tally.connect, waiting: tally.waiting, processing: tally.processing, total: tally.total };
  for (const [name, [least, most]] of Object.entries({
    connect: [1, 101],
    waiting: [2, 102],
    processing: [4, 104],
    total: [8, 108],
  })) {
    const { count, min, max } = found[name as keyof typeof found];
    assert.equal([count, min, max], [2, least! * 1e6, most! * 1e6], name);
  }
  assert.equal([one!.total!.count, one!.total!.max, other!.total!.count, other!.total!.max], [1, 8e6, 1, 108e6]);
  const byFirstByte = [...tally.totalByFirstByte].map(([byte, { count, max }]) => [byte, count, max]);
  assert.equal(byFirstByte, [
    [0x66, 1, 8e6],
    [0x73, 1, 108e6],
  ]);
});

test("counts by class, by status and by kind, and of connections that can be used again", () => {
  const { tally } = newTally();
  for (let i = 0; i < 3; i++) tally.respond(OK, at(1100));
  tally.respond({ ...OK, kind: 1, reusable: false }, at(1100));
  for (let i = 0; i < 2; i++) tally.respond({ ...OK, status: 503, bodyBytes: 7 }, at(1100));
  tally.respond({ ...OK, bodyBytes: 12 }, at(1100));
  tally.fail("reset", 1100, 1);
  assert.equal([tally.completed, tally.failed, tally.keepAliveResponses], [4, 4, 6]);
  assert.equal(tally.statusCounts, { "200": 5, "503": 2 });
  const failures = (errors: object): readonly unknown[] => Object.entries(errors).filter(([, count]) => count > 0);
  assert.equal(failures(tally.errors), [
    ["reset", 1],
    ["wrong-length", 1],
    ["unexpected-status", 2],
  ]);
  const [one, other] = tally.kinds.map((kind) => kind.toResult());
  assert.equal([one!.name, one!.sent, one!.completed, one!.documentBytes, one!.bodyBytes], ["one", 6, 3, 11, 59]);
  assert.equal(
    [other!.name, other!.sent, other!.completed, other!.documentBytes, other!.bodyBytes],
    ["other", 2, 1, 11, 11],
  );
  assert.equal([one!.statusCounts, other!.statusCounts], [{ "200": 4, "503": 2 }, { "200": 1 }]);
  assert.equal(failures(one!.errors), [
    ["wrong-length", 1],
    ["unexpected-status", 2],
  ]);
  assert.equal(failures(other!.errors), [["reset", 1]]);
});

test("requests are a thread's own, then those that belong to none, until there are none or it is stopped", () => {
  const { tally } = newTally(2, 3);
  for (let sent = 1; sent <= 5; sent++) {
    assert.is(tally.exhausted, false);
    assert.ok(tally.take());
    assert.is(tally.sent, sent);
  }
  assert.is(tally.exhausted, true);
  assert.is(tally.take(), false);
  assert.is(tally.sent, 5);
  const { tally: stopped } = newTally(2);
  assert.ok(stopped.take());
  stopped.stop();
  assert.equal([stopped.exhausted, stopped.take(), stopped.sent], [true, false, 1]);
});

test.run();
