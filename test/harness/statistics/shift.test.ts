import { suite } from "uvu";
import * as assert from "uvu/assert";
import { seededRandom } from "../../../src/harness/statistics/random.js";
import { rankSum } from "../../../src/harness/statistics/rank-sum.js";
import { shiftBetween } from "../../../src/harness/statistics/shift.js";

const shift = suite("shift between two samples");
const a = [23, 18, 17, 25, 22, 19, 31, 26, 29, 33];
const b = [21, 28, 32, 30, 41, 24, 35, 34, 27, 39, 36];

shift("the intervals of Sprent and Smeeton, at 95% and 99%", () => {
  // Applied Nonparametric Statistical Methods, 4th ed., example 6.3, by R's ANSM5: A − B is −13 to −2 and −16 to 1.
  const { interval } = shiftBetween(a, b);
  assert.equal([interval!.low, interval!.high], [2, 13]);
  const wider = shiftBetween(a, b, 0.99).interval!;
  assert.equal([wider.low, wider.high], [-1, 16]);
  assert.ok(interval!.level >= 0.95 && interval!.level < 0.96 && wider.level >= 0.99);
});

shift("the estimate of Hollander and Wolfe's permeabilities is SAS's −0.305", () => {
  const first = [0.8, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
  const second = [1.15, 0.88, 0.9, 0.74, 1.21];
  assert.ok(Math.abs(shiftBetween(first, second).shift - -0.305) < 1e-12);
  assert.ok(Math.abs(shiftBetween(second, first).shift - 0.305) < 1e-12);
});

shift("leaves out 0 exactly where the Mann-Whitney test finds a difference", () => {
  const random = seededRandom(12);
  for (let round = 0; round < 300; round++) {
    const first = Array.from({ length: 4 + Math.floor(random() * 5) }, random);
    const second = Array.from({ length: 4 + Math.floor(random() * 5) }, () => random() + 0.5 * random());
    const { interval } = shiftBetween(first, second);
    assert.is(interval!.low > 0 || interval!.high < 0, rankSum(first, second).p <= 0.05);
  }
});

shift("too few values give an estimate and no interval", () => {
  assert.equal(shiftBetween([1, 2, 3], [4, 5, 6]), { shift: 3, interval: null });
  assert.ok(shiftBetween([1, 2, 3, 4], [4, 5, 6, 7]).interval);
  assert.ok(Number.isNaN(shiftBetween([], [1]).shift));
});

shift("large samples take the normal approximation, which holds the level too", () => {
  const random = seededRandom(2);
  let held = 0;
  for (let round = 0; round < 400; round++) {
    const first = Array.from({ length: 61 }, random);
    const second = Array.from({ length: 61 }, () => random() + 0.2);
    const { interval } = shiftBetween(first, second);
    if (interval!.low <= 0.2 && 0.2 <= interval!.high) held++;
  }
  assert.ok(held >= 0.92 * 400 && held <= 0.98 * 400, `${held} of 400`);
});

shift.run();
