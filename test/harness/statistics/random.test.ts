import { suite } from "uvu";
import * as assert from "uvu/assert";
import { seededRandom } from "../../../src/harness/statistics/random.js";

const random = suite("seeded random");
const draw = (seed: number, count: number): readonly number[] => {
  const next = seededRandom(seed);
  return Array.from({ length: count }, () => next());
};

random("the same seed gives the same sequence and neighbouring seeds give others", () => {
  assert.equal(draw(1, 50), draw(1, 50));
  assert.is(new Set([0, 1, 2, -1, 2 ** 31].flatMap((seed) => draw(seed, 20))).size, 100);
});

random("numbers are in [0, 1) and fill 100 bins evenly", () => {
  const bins = new Array<number>(100).fill(0);
  for (const value of draw(42, 100_000)) {
    assert.ok(value >= 0 && value < 1);
    bins[Math.floor(value * 100)]!++;
  }
  // χ² with 99 degrees of freedom: 0.1% lies above 148.2 and 0.1% below 60.4 (NIST/SEMATECH e-Handbook, 1.3.6.7.4).
  const chiSquared = bins.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
  assert.ok(chiSquared > 60.4 && chiSquared < 148.2, `${chiSquared}`);
});

random("successive numbers are uncorrelated", () => {
  const values = draw(7, 50_000);
  const products = values.slice(1).map((value, index) => (value - 0.5) * (values[index]! - 0.5));
  const correlation = (12 * products.reduce((sum, value) => sum + value, 0)) / products.length;
  assert.ok(Math.abs(correlation) < 4 / Math.sqrt(products.length), `${correlation}`);
});

random.run();
