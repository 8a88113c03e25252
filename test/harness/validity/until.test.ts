import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Ratio } from "../../../src/harness/statistics/ratio.js";
import { halfWidth, stopOf } from "../../../src/harness/validity/until.js";

const until = { halfWidth: 0.03, maxTrials: 20, maxSeconds: 600 };
const pace = { trials: 10, elapsedSeconds: 100, secondsPerBlock: 10 };
/** A ratio known to ± a share. */
const known = (share: number | null, ratio = 0.8): Ratio => ({
  ratio,
  interval: share === null ? null : { low: ratio / (1 + share), high: ratio * (1 + share), level: 0.95 },
  p: 0.5,
  pairs: 10,
  method: "biweight",
});
const near = (value: number | null | undefined, expected: number): void =>
  assert.ok(Math.abs((value ?? Number.NaN) - expected) < 1e-9, `${value}`);

const stops = suite("when no more blocks are added");

stops("half the width is a share of the ratio, whatever the ratio", () => {
  near(halfWidth(known(0.03)), 0.03);
  near(halfWidth(known(0.03, 20)), 0.03);
  assert.is(halfWidth(known(null)), Number.POSITIVE_INFINITY);
});

stops("the widest ratio decides: while it is too wide, blocks are added", () => {
  assert.is(stopOf(until, [known(0.01), known(0.05)], pace), null);
  assert.is(stopOf(until, [known(0.01), known(null)], pace), null);
  const stop = stopOf(until, [known(0.01), known(0.0299)], pace);
  assert.is(stop?.code, "narrow");
  near(stop?.widest, 0.0299);
});

stops("a ratio of 1 and one of 5 are narrowed alike: significance decides nothing", () => {
  for (const ratio of [1, 5]) {
    assert.is(stopOf(until, [known(0.05, ratio)], pace), null);
    assert.is(stopOf(until, [known(0.02, ratio)], pace)?.code, "narrow");
  }
});

stops("fewer than eight blocks can be narrow by luck, so they are not looked at", () => {
  assert.is(stopOf(until, [known(0.01)], { ...pace, trials: 7 }), null);
  assert.is(stopOf(until, [known(0.01)], { ...pace, trials: 8 })?.code, "narrow");
});

stops("the limit of trials is not passed, and how wide it still is is told", () => {
  assert.is(stopOf(until, [known(0.05)], { ...pace, trials: 18 }), null);
  const stop = stopOf(until, [known(0.05)], { ...pace, trials: 19 });
  assert.is(stop?.code, "max-trials");
  near(stop?.widest, 0.05);
  assert.equal(stopOf(until, [known(null)], { ...pace, trials: 20 }), { code: "max-trials", widest: null });
});

stops("blocks that would not fit into the time are not begun", () => {
  assert.is(stopOf(until, [known(0.05)], { ...pace, elapsedSeconds: 580 }), null);
  assert.is(stopOf(until, [known(0.05)], { ...pace, elapsedSeconds: 581 })?.code, "max-time");
});

stops("without a ratio there is nothing to narrow", () => {
  assert.equal(stopOf(until, [], pace), { code: "nothing-to-narrow", widest: null });
});

stops.run();
