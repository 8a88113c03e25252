import { suite } from "uvu";
import * as assert from "uvu/assert";
import { median } from "../../../src/harness/statistics/median.js";
import { seededRandom } from "../../../src/harness/statistics/random.js";
import { signFlipInterval, signFlipP } from "../../../src/harness/statistics/sign-flips.js";

const flips = suite("the sign-flip test");

/** All assignments of signs, one by one, to scores as they are written down: an odd number of values. */
function enumerated(values: readonly number[]): number {
  const ascending = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);
  const middleOf = (numbers: readonly number[]): number => ascending(numbers)[(numbers.length - 1) / 2]!;
  const distances = values.map(Math.abs);
  const middle = middleOf(distances);
  const deviation = middleOf(distances.map((distance) => Math.abs(distance - middle)));
  const scores = distances.map((distance) => {
    const u = Math.max(0, distance - middle) / (5 * deviation);
    return u < 1 ? Math.max(distance * (1 - u ** 2) ** 2, Math.min(distance, middle / 20)) : middle / 20;
  });
  const all = scores.reduce((sum, score) => sum + score);
  const whole = scores.map((score) => Math.ceil((1000 * score) / all));
  const sumOf = (isPositive: (index: number) => boolean): number =>
    Math.abs(whole.reduce((sum, score, index) => sum + (isPositive(index) ? score : -score), 0));
  const found = sumOf((index) => values[index]! > 0);
  let far = 0;
  for (let signs = 0; signs < 2 ** values.length; signs++) {
    if (sumOf((index) => ((signs >> index) & 1) === 1) >= found) far++;
  }
  return far / 2 ** values.length;
}

flips("p is what counting all assignments of signs gives, with and without distant values", () => {
  const random = seededRandom(4);
  for (const n of [7, 11, 13, 15]) {
    for (let round = 0; round < 10; round++) {
      const values = Array.from({ length: n }, () => random() - 0.4 + (random() < 0.1 ? 5 : 0));
      assert.ok(Math.abs(signFlipP(values) - enumerated(values)) < 1e-12, JSON.stringify(values));
    }
  }
});

flips("values of one sign have the smallest p, 2 in 2 to the number of values", () => {
  assert.is(signFlipP([0.1, 0.2, 0.3, 0.15, 0.25, 0.12]), 2 / 64);
  assert.is(signFlipP([-0.1, -0.2, -0.3, -0.15, -0.25, -0.12, -9]), 2 / 128);
});

flips("a value far on the other side costs one sign, and no more", () => {
  const ten = [0.1, 0.11, 0.12, 0.13, 0.09, 0.1, 0.11, 0.12, 0.13, -5];
  assert.is(signFlipP(ten), 4 / 1024);
});

flips("signs of nothing have a p of 1, and the sign of all values does not matter", () => {
  assert.is(signFlipP([0, 0, 0]), 1);
  assert.is(signFlipP([]), 1);
  const values = [0.3, -0.1, 0.2, 0.05, -0.02, 0.4];
  assert.is(signFlipP(values), signFlipP(values.map((value) => -value)));
});

flips("beyond a hundred values the normal approximation goes on where counting ends", () => {
  const random = seededRandom(9);
  const values = Array.from({ length: 100 }, () => random() - 0.45);
  assert.ok(Math.abs(signFlipP(values) / signFlipP([...values, 1e-9]) - 1) < 0.05);
});

flips("just within the interval the test does not reject, just without it does", () => {
  const random = seededRandom(5);
  for (const n of [6, 8, 12, 30]) {
    const values = Array.from({ length: n }, () => 0.2 + 0.1 * (random() - random()) + (random() < 0.1 ? 2 : 0));
    const { low, high } = signFlipInterval(values, { centre: median(values), step: 0.03 }, 0.95);
    const p = (shift: number): number => signFlipP(values.map((value) => value - shift));
    const little = 1e-3 * (high - low);
    assert.ok(p(low + little) > 0.05 && p(high - little) > 0.05, `${n}`);
    assert.ok(p(low - little) <= 0.05 && p(high + little) <= 0.05, `${n}`);
    assert.ok(low >= Math.min(...values) - 1e-6 && high <= Math.max(...values) + 1e-6, `${n}`);
  }
});

flips("the interval moves and stretches with its values", () => {
  const values = [0.1, 0.4, 0.2, 0.3, 0.35, 0.12, 0.22, 0.31];
  const plain = signFlipInterval(values, { centre: 0.25, step: 0.04 }, 0.95);
  const other = values.map((value) => 5 + 3 * value);
  const moved = signFlipInterval(other, { centre: 5.75, step: 0.12 }, 0.95);
  assert.ok(Math.abs(moved.low - 5 - 3 * plain.low) < 1e-6 && Math.abs(moved.high - 5 - 3 * plain.high) < 1e-6);
});

flips.run();
