import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Random, seededRandom } from "../../../src/harness/statistics/random.js";
import { excludesOne, fewestPairs, pairedRatio } from "../../../src/harness/statistics/ratio.js";

const ones = (n: number): readonly number[] => new Array<number>(n).fill(1);

const point = suite("paired ratio");

point("the ratio is the geometric mean of the pairs' ratios, so that swapping the cores inverts it", () => {
  const base = [100, 200, 400, 800];
  const other = [110, 190, 480, 700];
  const there = pairedRatio(base, other, { seed: 1 })!;
  const back = pairedRatio(other, base, { seed: 1 })!;
  assert.ok(Math.abs(there.ratio - (1.1 * 0.95 * 1.2 * 0.875) ** 0.25) < 1e-12);
  assert.ok(Math.abs(there.ratio * back.ratio - 1) < 1e-12);
  assert.ok(Math.abs(there.interval!.low * back.interval!.high - 1) < 1e-9);
});

point("pairing takes out drift that both cores share", () => {
  const drift = [1, 0.7, 1.2, 0.9, 1.4, 0.6, 1.1];
  const noise = [1.001, 0.999, 1.002, 1, 0.998, 1.001, 0.999];
  const ratio = pairedRatio(
    drift.map((value) => 1000 * value),
    drift.map((value, pair) => 970 * value * noise[pair]!),
    { seed: 3 },
  )!;
  assert.ok(ratio.interval!.low > 0.965 && ratio.interval!.high < 0.975, JSON.stringify(ratio));
  assert.ok(excludesOne(ratio));
});

point("the same seed gives the same interval, another one nearly the same", () => {
  const other = [1.02, 0.97, 1.05, 1.01, 0.99, 1.03, 1.0];
  const first = pairedRatio(ones(7), other, { seed: 1 })!;
  const again = pairedRatio(ones(7), other, { seed: 1 })!;
  const seeded = pairedRatio(ones(7), other, { seed: 2 })!;
  assert.equal(first, again);
  assert.is.not(first.interval!.low, seeded.interval!.low);
  assert.ok(Math.abs(first.interval!.low - seeded.interval!.low) < 0.005);
});

point("too few pairs give a ratio without an interval, and nothing is significant without one", () => {
  const ratio = pairedRatio([1, 1, 1], [2, 2.1, 1.9], { seed: 1 })!;
  assert.is(ratio.interval, null);
  assert.is(ratio.pairs, fewestPairs - 1);
  assert.not.ok(excludesOne(ratio));
});

point("pairs that are all equal say nothing about their spread: no interval, never one of width 0", () => {
  for (const other of [1, 1.1, 3]) {
    const ratio = pairedRatio(ones(8), new Array<number>(8).fill(other), { seed: 1 })!;
    assert.is(ratio.interval, null, `${other}`);
    assert.ok(Math.abs(ratio.ratio - other) < 1e-12);
  }
  assert.is(pairedRatio(ones(5), [2, 1, 1, 1, 1], { seed: 1 })!.interval, null);
});

point("values that have no logarithm have no ratio, and lists that are no pairs are refused", () => {
  assert.is(pairedRatio([1, 0, 1, 1], [1, 1, 1, 1], { seed: 1 }), null);
  assert.is(pairedRatio([1, 1, 1, 1], [1, Number.NaN, 1, 1], { seed: 1 }), null);
  assert.is(pairedRatio([], [], { seed: 1 }), null);
  assert.throws(() => pairedRatio([1], [1, 2], { seed: 1 }), /not pairs/);
});

point("one disturbed pair of seven widens the interval, but not beyond all sense", () => {
  const { interval } = pairedRatio(ones(7), [0.79, 0.8, 0.81, 2, 0.795, 0.805, 0.8], { seed: 1 })!;
  assert.ok(interval!.low < 0.8 && interval!.high > 1.2, JSON.stringify(interval));
  assert.ok(interval!.low > 0.4 && interval!.high < 2.1, JSON.stringify(interval));
});

point.run();

const bootstrap = suite("bootstrap interval");

bootstrap("resampling agrees with the exact interval from all 3,125 resamples of five pairs", () => {
  const logs = [0.031, -0.012, 0.05, 0.018, 0.027];
  const n = logs.length;
  const mean = logs.reduce((sum, value) => sum + value, 0) / n;
  const standardErrorOf = (values: readonly number[]): number => {
    const centre = values.reduce((sum, value) => sum + value, 0) / n;
    return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (n - 1) / n);
  };
  const distances = Array.from({ length: n ** n }, (_, code) => {
    const draws = Array.from({ length: n }, (_, place) => logs[Math.floor(code / n ** place) % n]!);
    const error = standardErrorOf(draws);
    const centre = draws.reduce((sum, value) => sum + value, 0) / n;
    return error < 1e-12 ? Number.POSITIVE_INFINITY : Math.abs(centre - mean) / error;
  }).sort((a, b) => a - b);
  const half = distances[Math.ceil(0.95 * n ** n) - 1]! * standardErrorOf(logs);
  const { interval } = pairedRatio(ones(n), logs.map(Math.exp), { seed: 5, resamples: 50_000 })!;
  assert.ok(Math.abs((Math.log(interval!.high) - mean) / half - 1) < 0.03);
  assert.ok(Math.abs((mean - Math.log(interval!.low)) / half - 1) < 0.03);
});

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Noise with mean 0. Trials are disturbed upwards more often than downwards, and now and then badly: so skew and heavy tails. */
const noises: Readonly<Record<string, (random: Random) => number>> = {
  normal,
  "Student's t with 3 degrees of freedom": (random) =>
    normal(random) / Math.sqrt((normal(random) ** 2 + normal(random) ** 2 + normal(random) ** 2) / 3),
  "gamma with shape 4": (random) => -Math.log((1 - random()) * (1 - random()) * (1 - random()) * (1 - random())) - 4,
  "normal with one trial in twenty far out": (random) =>
    normal(random) + (random() < 0.05 ? Math.sign(random() - 0.5) * 40 : 0),
  "difference of two exponentials": (random) => Math.log(1 - random()) - Math.log(1 - random()),
};

for (const [name, noise] of Object.entries(noises)) {
  bootstrap(`holds its level on 5, 7 and 10 pairs with noise: ${name}`, () => {
    const random = seededRandom(2026);
    for (const pairs of [5, 7, 10]) {
      const experiments = 800;
      let held = 0;
      for (let experiment = 0; experiment < experiments; experiment++) {
        const other = Array.from({ length: pairs }, () => Math.exp(0.02 * noise(random)));
        const { interval } = pairedRatio(ones(pairs), other, { seed: experiment, resamples: 399 })!;
        if (interval !== null && interval.low <= 1 && 1 <= interval.high) held++;
      }
      const coverage = held / experiments;
      assert.ok(coverage >= 0.935, `${pairs} pairs: ${coverage}`);
      assert.ok(coverage < 0.999, `${pairs} pairs: an interval that always holds is no interval`);
    }
  });
}

bootstrap("finds a 5% difference under 1% noise with seven pairs nearly always", () => {
  const random = seededRandom(1);
  let found = 0;
  for (let experiment = 0; experiment < 200; experiment++) {
    const other = Array.from({ length: 7 }, () => 0.95 * Math.exp(0.01 * normal(random)));
    if (excludesOne(pairedRatio(ones(7), other, { seed: experiment, resamples: 399 })!)) found++;
  }
  assert.ok(found >= 196, `${found} of 200`);
});

bootstrap.run();
