import { PassThrough } from "node:stream";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { estimateText, sweepProgress } from "../../src/cli/progress.js";
import type { Probe } from "../../src/harness/sweep/check.js";
import { plausibleSweep } from "../harness/report/fixture.js";

const [plausible] = plausibleSweep({ rates: { reactor: 1000, pool: 1000 } }).trials;
const trial = { ...plausible!, run: { ...plausible!.run!, completed: 24_690, elapsedSeconds: 2 } };
const next = { core: "pool", concurrency: 450, rate: null, block: 1 };

/** A stream that remembers. */
function terminal(isTTY: boolean): { stream: NodeJS.WriteStream; written(): string } {
  const stream = new PassThrough();
  let text = "";
  stream.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  const cursor = { isTTY, columns: 200, cursorTo: () => true, clearLine: () => true };
  return { stream: Object.assign(stream, cursor) as unknown as NodeJS.WriteStream, written: () => text };
}

const test = suite("progress of a sweep");

test("no terminal: a line when a trial has ended, with what it gave and how long is left", () => {
  const { stream, written } = terminal(false);
  const progress = sweepProgress(stream);
  progress.trialStarts(trial, { finished: 0, planned: 3, remainingMs: null });
  progress.trialEnded(trial, { finished: 1, planned: 3, remainingMs: 125_000 });
  const failed = { ...trial, run: null, server: null, failure: "the server ended with code 7" };
  progress.trialEnded(failed, { finished: 2, planned: 3, remainingMs: 1400 });
  const errors = { ...trial.run.errors, reset: 2 };
  progress.trialEnded({ ...trial, run: { ...trial.run, errors } }, { finished: 3, planned: 3, remainingMs: 0 });
  progress.end();
  const which = `block ${trial.block + 1}, ${trial.core}, c=${trial.concurrency}`;
  assert.equal(written().split("\n"), [
    `1/3 ${which}: 12,345 requests/s, 2 min 5 s left`,
    `2/3 ${which}: failed: the server ended with code 7, 2 s left`,
    `3/3 ${which}: 12,345 requests/s, 2 errors`,
    "",
  ]);
});

test("a terminal: a bar that says what runs and how long is left, and gives the cursor back", () => {
  const { stream, written } = terminal(true);
  const progress = sweepProgress(stream);
  progress.trialStarts(next, { finished: 5, planned: 56, remainingMs: null });
  progress.trialEnded({ ...trial, ...next }, { finished: 6, planned: 56, remainingMs: 61_000 });
  progress.trialStarts(next, { finished: 6, planned: 56, remainingMs: 61_000 });
  progress.end();
  progress.end();
  assert.match(written(), / 6\/56 block 2, pool, c=450, 1 min 1 s left/);
  assert.is(written().split("\x1b[?25l").length - 1, 1, "hidden once");
  assert.is(written().split("\x1b[?25h").length - 1, 1, "shown once");
});

test("how long is left is in seconds below a minute, and rounded up", () => {
  for (const [remainingMs, text] of [
    [1, ", 1 s left"],
    [59_000, ", 59 s left"],
    [59_001, ", 1 min 0 s left"],
    [3_725_000, ", 62 min 5 s left"],
    [null, ""],
  ] as const) {
    const { stream, written } = terminal(false);
    sweepProgress(stream).trialEnded(trial, { finished: 1, planned: 3, remainingMs });
    assert.is(written(), `1/3 block 1, ${trial.core}, c=${trial.concurrency}: 12,345 requests/s${text}\n`);
  }
});

test("the estimate says what it rests on: starts, warm-ups and windows of all trials", () => {
  const probes = [
    { name: "reactor", requestsPerSecond: 12_345.6, startMs: 300, meanLatencyMs: 5 },
    { name: "pool", requestsPerSecond: 41.7, startMs: 500, meanLatencyMs: 7 },
  ] as unknown as readonly Probe[];
  const { plan } = plausibleSweep({ rates: { reactor: 1, pool: 1 }, plan: { trials: 3, concurrencies: [10] } });
  // Six trials, each with three times the mean start of 400 ms, of four seconds after two of warm-up.
  assert.is(
    estimateText({ ...plan, seconds: 4 }, probes),
    "About 44 s: 6 trials of 4 s after 2 s of warm-up. By a short probe: reactor 12,346 requests/s, pool 42 requests/s.",
  );
  // 1,100 requests of the reactor take 0.0891 s, of the pool 26.4 s.
  assert.is(
    estimateText({ ...plan, requests: 1000, warmupRequests: 100 }, probes),
    "About 87 s: 6 trials. By a short probe: reactor 12,346 requests/s, pool 42 requests/s.",
  );
  const until = { halfWidth: 0.03, maxTrials: 40, maxSeconds: 60 };
  assert.is(
    estimateText({ ...plan, trials: 30, seconds: 10, until }, []),
    "About 15 min: 60 trials of 10 s after 5 s of warm-up, and more with --until.",
  );
  assert.is(
    estimateText({ ...plan, trials: 300, seconds: 20 }, []),
    "About 5.0 hours: 600 trials of 20 s after 10 s of warm-up.",
  );
});

test("an end before any trial writes nothing", () => {
  const { stream, written } = terminal(true);
  sweepProgress(stream).end();
  assert.is(written(), "");
});

test.run();
