import { PassThrough } from "node:stream";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { sweepProgress } from "../../src/cli/progress.js";
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

test("an end before any trial writes nothing", () => {
  const { stream, written } = terminal(true);
  sweepProgress(stream).end();
  assert.is(written(), "");
});

test.run();
