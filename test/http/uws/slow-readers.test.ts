import { suite } from "uvu";
import * as assert from "uvu/assert";
import { SlowReaders, type WatchedClient } from "../../../src/http/uws/slow-readers.js";

const test = suite("slow readers");

/** A client on a clock of its own that goes when it is cut off. */
function watched(limitMs: number) {
  const clock = { nowMs: 0 };
  const readers = new SlowReaders(limitMs, () => clock.nowMs);
  const cuts: number[] = [];
  const client: WatchedClient & { takenBytes: number } = {
    takenBytes: 0,
    cut: () => {
      cuts.push(clock.nowMs);
      readers.forget(client);
    },
  };
  readers.watch(client);
  return { clock, readers, client, cuts };
}

test("a reader that takes nothing is cut off once, when the time is up", () => {
  const { clock, readers, cuts } = watched(2000);
  for (; clock.nowMs < 10_000; clock.nowMs += readers.intervalMs) readers.look();
  assert.equal(cuts, [2000]);
});

test("one that takes a little now and then is not", () => {
  const { clock, readers, client, cuts } = watched(2000);
  for (; clock.nowMs < 60_000; clock.nowMs += 500) {
    if (clock.nowMs % 1500 === 0) client.takenBytes++;
    readers.look();
    assert.not.ok(readers.isSlow(client));
  }
  assert.equal(cuts, []);
});

test("one that goes by itself is slow only if it had taken nothing for so long, or for as long as µWS waits", () => {
  for (const [limitMs, waitedMs, isSlow] of [
    [2000, 1900, false],
    [2000, 2000, true],
    [60_000, 7900, false],
    [60_000, 8000, true],
  ] as const) {
    const { clock, readers, client } = watched(limitMs);
    clock.nowMs = waitedMs;
    assert.is(readers.isSlow(client), isSlow, `${waitedMs} of ${limitMs}`);
    client.takenBytes = 1;
    assert.not.ok(readers.isSlow(client));
  }
});

test.run();
