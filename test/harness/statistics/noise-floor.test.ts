import { suite } from "uvu";
import * as assert from "uvu/assert";
import { noiseFloor } from "../../../src/harness/statistics/noise-floor.js";
import { seededRandom } from "../../../src/harness/statistics/random.js";

const floors = suite("noise floor");

floors("is the largest difference found, where that is more than the spread explains", () => {
  const biased = noiseFloor([
    [0.05, 0.05, 0.05, 0.05],
    [0, 0, 0, 0],
  ])!;
  assert.ok(Math.abs(Math.log(biased.ratio) - 0.05) < 1e-12);
  assert.is(biased.ratio, biased.largest);
  assert.is(biased.pairs, 8);
  assert.is(
    noiseFloor([
      [-0.05, -0.05, -0.05, -0.05],
      [0, 0, 0, 0],
    ])!.ratio,
    biased.ratio,
  );
});

floors("is what the spread explains, where the differences found are smaller by luck", () => {
  const lucky = noiseFloor([[0.04, -0.04, 0.04, -0.04]])!;
  assert.is(lucky.largest, 1);
  assert.ok(Math.abs(Math.log(lucky.ratio) - (1.96 * 0.04) / 2) < 1e-12);
});

floors("a mean of as many pairs stays below it in 95 of 100 cases, or more", () => {
  const random = seededRandom(4);
  const noise = (): number => random() + random() + random() - 1.5;
  let below = 0;
  for (let round = 0; round < 1000; round++) {
    const floor = noiseFloor([1, 2, 3, 4].map(() => Array.from({ length: 10 }, noise)))!;
    const mean = Array.from({ length: 10 }, noise).reduce((sum, value) => sum + value, 0) / 10;
    if (Math.abs(mean) <= Math.log(floor.ratio)) below++;
  }
  assert.ok(below >= 940, `${below} of 1000`);
});

floors("concurrencies without pairs are left out, and without any there is no floor", () => {
  assert.is(noiseFloor([[0.01, -0.01], []])!.pairs, 2);
  assert.is(noiseFloor([[], []]), null);
  assert.is(noiseFloor([]), null);
});

floors.run();
