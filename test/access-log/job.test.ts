import { suite } from "uvu";
import * as assert from "uvu/assert";
import { attachLogRing, LOG_RECORDS } from "../../src/access-log/memory.js";
import { MAX_RECORD_BYTES, textLimits, writeRecord } from "../../src/access-log/record.js";
import { seededRandom } from "../../src/harness/statistics/random.js";
import { bothSides, entry, failure } from "./fixture.js";

const test = suite("access log: from the ring to the file");

const longest = entry({
  address: new Uint8Array(16).fill(1),
  isHttp10: false,
  method: "M".repeat(textLimits.methodBytes),
  path: "\x01".repeat(textLimits.urlBytes),
  referrer: "\x01".repeat(textLimits.referrerBytes),
  userAgent: "\x01".repeat(textLimits.userAgentBytes),
});

test("the ring has room for a thousand of the longest records, wherever it stands, and then none", () => {
  const { memory } = bothSides();
  const [producer, consumer] = [attachLogRing(memory), attachLogRing(memory)];
  const random = seededRandom(3);
  for (let round = 0; round < 20; round++) {
    let fitted = 0;
    while (writeRecord(producer, longest, 0) === MAX_RECORD_BYTES) fitted++;
    assert.ok(fitted >= LOG_RECORDS, `${fitted} in round ${round}`);
    for (; fitted > 0; fitted--) {
      assert.is.not(consumer.peek(), -1);
      consumer.release();
    }
    // Somewhere else next time.
    for (let i = Math.floor(random() * 3000); i > 0; i--) {
      writeRecord(producer, entry({ path: "x".repeat(i % 99) }), 0);
      consumer.peek();
      consumer.release();
    }
  }
});

test("records of one run are one write, in order", () => {
  const { log, job, file, figures } = bothSides();
  for (let i = 0; i < 500; i++) log.add(entry({ path: `/${i}` }));
  job.run();
  assert.is(file.writes.length, 1);
  assert.equal(
    file.lines.map((line) => /"GET \/(\d+) /.exec(line)![1]),
    Array.from({ length: 500 }, (_, i) => String(i)),
  );
  assert.equal(figures(), { lines: 500, dropped: 0, failures: 0 });
});

test("the longest lines come out whole, in several writes, in both formats", () => {
  for (const format of ["combined", "json"] as const) {
    const { log, job, file, figures } = bothSides({ format });
    for (let i = 0; i < LOG_RECORDS; i++) log.add(longest);
    for (let rest = job.run(); rest.afterMs === 0; rest = job.run()) {}
    while (job.run().afterMs !== Number.POSITIVE_INFINITY) {}
    assert.is(file.lines.length, LOG_RECORDS);
    // They differ in nothing but when they were, by the wall clock, and how long they took.
    assert.is(
      new Set(file.lines.map((line) => line.replace(/\[[^\]]*\]|"(time|durationMs)":("[^"]*"|[^,}]*)/g, ""))).size,
      1,
    );
    assert.is(figures().lines, LOG_RECORDS);
  }
});

test("it rests deep after records, and light and without end when there are none", () => {
  const { log, job } = bothSides();
  assert.equal(job.run(), { afterMs: Number.POSITIVE_INFINITY, isLight: true });
  log.add(entry());
  const rest = job.run();
  assert.ok(!rest.isLight && rest.afterMs > 0 && rest.afterMs < 1000);
  assert.is(job.isDue(rest), false);
  log.add(entry());
  assert.is(job.isDue(rest), false, "more records wait for the next batch");
  assert.is(job.isDue({ afterMs: Number.POSITIVE_INFINITY, isLight: true }), true);
  log.reopen();
  assert.is(job.isDue(rest), true, "SIGHUP does not");
});

test("a full disk is told once and counted, nothing is lost or torn, and it is written again when there is room", () => {
  const { log, job, file, reported, clock, figures } = bothSides();
  file.failing = failure("ENOSPC");
  file.roomBytes = 100;
  for (let i = 0; i < 10; i++) log.add(entry({ path: `/${i}` }));
  for (let second = 0; second < 5; second++) {
    const { afterMs, isLight } = job.run();
    assert.equal([afterMs, isLight], [1000, false]);
    job.run();
    clock.ms += afterMs;
    log.add(entry({ path: "/later" }));
  }
  assert.is(reported.length, 1);
  assert.match(reported[0]!, /ENOSPC/);
  assert.is(figures().failures, 5, "one try a second");
  file.failing = null;
  job.run();
  assert.is(reported.length, 2);
  assert.match(reported[1]!, /written again/);
  assert.is(file.lines.length, 15);
  for (const line of file.lines)
    assert.match(line, /^192\.0\.2\.1 - - \[[^\]]+\] "GET \/\w+ HTTP\/1\.1" 200 5 "-" "-"$/);
  assert.equal(figures(), { lines: 15, dropped: 0, failures: 5 });
  file.failing = failure("ENOSPC");
  log.add(entry());
  job.run();
  assert.is(reported.length, 3, "a new failure is told again");
});

test("a pipe that is full is tried again after longer and longer times, silently", () => {
  const { log, job, file, reported, clock, figures } = bothSides();
  file.failing = failure("EAGAIN");
  log.add(entry());
  const waits: number[] = [];
  for (let i = 0; i < 12; i++) {
    const { afterMs } = job.run();
    waits.push(afterMs);
    clock.ms += afterMs;
  }
  assert.equal(waits, [5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000, 1000, 1000]);
  file.failing = null;
  job.run();
  assert.equal([file.lines.length, reported.length, figures().failures], [1, 0, 0]);
  // It is full once more: a new wait, which begins as the first did.
  file.failing = failure("EAGAIN");
  log.add(entry());
  assert.is(job.run().afterMs, 5);
  clock.ms += 5;
  assert.is(job.run().afterMs, 10);
  clock.ms += 10;
  // A reader that takes a part is there, too.
  file.roomBytes = 10;
  assert.is(job.run().afterMs, 5);
});

test("on SIGHUP what came before goes into the old file and what comes later into the new one", () => {
  const { log, job, file } = bothSides();
  log.add(entry({ path: "/before" }));
  log.reopen();
  job.run();
  log.add(entry({ path: "/after" }));
  job.run();
  assert.is(file.files.length, 2);
  assert.match(file.files[0]!, /\/before .*\n$/);
  assert.match(file.files[1]!, /^.*\/after .*\n$/);
});

test("a line that stopped in the middle when the file is changed is whole in the new one", () => {
  const { log, job, file, figures } = bothSides();
  for (let i = 0; i < 3; i++) log.add(entry({ path: `/${i}` }));
  file.failing = failure("ENOSPC");
  file.roomBytes = 90;
  job.run();
  log.reopen();
  file.failing = null;
  // The disk of the old file stays full: only the new one has room.
  const write = file.write.bind(file);
  file.write = (bytes, from, to) => {
    if (file.files.length === 1) throw failure("ENOSPC");
    return write(bytes, from, to);
  };
  job.run();
  const [old, fresh] = file.files as [string, string];
  assert.is(old.split("\n").length, 2, "one line and a piece");
  assert.match(fresh, /^192\.0\.2\.1 .*\/1 .*\n192\.0\.2\.1 .*\/2 .*\n$/);
  assert.is(figures().lines, 3);
});

test("a file that cannot be opened again is told, and the log goes on in the old one", () => {
  const { log, job, file, reported } = bothSides();
  file.refusesReopen = failure("EACCES");
  log.reopen();
  job.run();
  log.add(entry());
  job.run();
  assert.is(reported.length, 1);
  assert.match(reported[0]!, /goes on in the file it has: EACCES/);
  assert.is(file.lines.length, 1);
});

for (const overflow of ["drop", "block"] as const) {
  test(`${overflow}: while the disk is full what has no room is dropped, each line counted, and told once for the burst`, () => {
    const { log, job, file, reported, clock, figures } = bothSides({ overflow });
    file.failing = failure("ENOSPC");
    log.add(entry());
    job.run();
    const requests = 100_000;
    for (let i = 1; i < requests; i++) log.add(entry());
    const { dropped } = figures();
    assert.ok(dropped > 0);
    file.failing = null;
    for (let i = 0; i < 100; i++) {
      clock.ms += 1000;
      job.run();
    }
    assert.equal(figures(), { lines: requests - dropped, dropped, failures: 1 });
    assert.is(file.lines.length, requests - dropped);
    const drops = reported.filter((text) => text.includes("dropped"));
    assert.is(drops.length, 1);
    assert.ok(drops[0]!.startsWith(`${dropped} lines of the access log were dropped`));
  });
}

test("block: main gives up on a reader that takes nothing, once, and waits again after there was room", () => {
  const { log, job, figures } = bothSides({ overflow: "block" });
  const { wait } = Atomics;
  let waits = 0;
  // Nobody runs the job: each wait lasts its 20 ms.
  Atomics.wait = ((...all: Parameters<typeof wait>) => {
    waits++;
    return wait(...all);
  }) as typeof wait;
  const fill = (): number => {
    const { dropped } = figures();
    let filled = 0;
    while (figures().dropped === dropped) {
      log.add(entry());
      filled++;
    }
    return filled;
  };
  try {
    const filled = fill();
    assert.is(waits, 1);
    for (let i = 0; i < 1000; i++) log.add(entry());
    assert.equal([figures().dropped, waits], [1001, 1], "it does not wait for each");
    job.run();
    const more = fill();
    assert.equal([figures().dropped, waits], [1002, 2]);
    job.finish();
    assert.is(figures().lines, filled + more - 2, "all but the last of each round");
  } finally {
    Atomics.wait = wait;
  }
});

test("the end writes all that is left and closes the file", () => {
  const { log, job, file, figures } = bothSides();
  for (let i = 0; i < 10_000; i++) log.add(entry({ path: `/${i}` }));
  assert.is(figures().dropped, 0);
  job.finish();
  assert.equal([file.lines.length, file.closed], [10_000, true]);
  assert.is(log.writerEnded(figures().lines), 0);
});

test("the end waits for a slow reader, and not for one that takes nothing", () => {
  const slow = bothSides();
  slow.file.failing = failure("EAGAIN");
  for (let i = 0; i < 1000; i++) slow.log.add(entry());
  const write = slow.file.write.bind(slow.file);
  slow.file.write = (bytes, from, to) => {
    slow.file.roomBytes += Math.floor(slow.clock.ms % 3) * 40;
    return write(bytes, from, to);
  };
  slow.job.finish();
  assert.is(slow.file.lines.length, 1000);

  const stuck = bothSides();
  stuck.file.failing = failure("EAGAIN");
  stuck.file.roomBytes = 150;
  for (let i = 0; i < 10; i++) stuck.log.add(entry());
  stuck.job.finish();
  assert.ok(stuck.clock.ms >= 2000 && stuck.clock.ms < 3000);
  assert.is(stuck.figures().lines, 2, "lines that are whole");
  assert.is(stuck.log.writerEnded(2), 8);
  assert.equal(stuck.figures(), { lines: 2, dropped: 8, failures: 0 });
});

test("a writer that has died: lines that were not written are counted as dropped, and so is all that follows", () => {
  const { log, job, figures } = bothSides({ overflow: "block" });
  for (let i = 0; i < 10; i++) log.add(entry());
  job.run();
  for (let i = 0; i < 5; i++) log.add(entry());
  assert.is(log.writerEnded(figures().lines), 5);
  for (let i = 0; i < 7; i++) log.add(entry());
  assert.is(log.writerEnded(figures().lines), 0, "told once");
  assert.equal(figures(), { lines: 10, dropped: 12, failures: 0 });
});

test("a burst of drops is told when it is over, or after ten seconds", () => {
  const { log, job, reported, clock, file, figures } = bothSides();
  file.failing = failure("EAGAIN");
  const drop = (): void => {
    const { dropped } = figures();
    while (figures().dropped === dropped) log.add(entry());
  };
  drop();
  assert.is(job.run().isLight, false);
  for (let tenth = 0; tenth < 250; tenth++) {
    drop();
    clock.ms += 100;
    job.run();
  }
  assert.is(reported.length, 2, "25 s of drops");
  clock.ms += 1000;
  job.run();
  assert.is(reported.length, 3);
  const sum = reported.reduce((total, text) => total + Number(/^\d+/.exec(text)![0]), 0);
  assert.is(sum, figures().dropped);
});

test.run();
