import { suite } from "uvu";
import * as assert from "uvu/assert";
import { blocksOf, type Noise, noises } from "../../../bench/noises.js";
import { crossingBetween } from "../../../src/harness/statistics/crossing.js";
import { type Random, seededRandom } from "../../../src/harness/statistics/random.js";
import {
  bracketOf,
  type CurvePoint,
  type PassOfRatios,
  positionsWithin,
  ratioCurve,
  shapeOf,
} from "../../../src/harness/statistics/ratio-curve.js";

/** Every noise at every place, as `npm run bench` would. */
const ALL = process.env["LOOPOOL_TEST_CROSSINGS"] === "all";
/** So many that chance moves the share of a 95% interval by 1 in 100. */
const RUNS = 500;
/** Enough for ends that lie near the 1st and the 99th of 100. */
const RESAMPLES = 300;
/** Positions of a coarse pass, as break-even has them: 0, 30 µs, 300 µs, 2.5 and 20 ms. */
const coarse = [0, 1.39, 3.43, 5.53, 7.6];
const [COARSE_BLOCKS, REFINED_BLOCKS, REFINED_POSITIONS] = [6, 10, 4];

/** Log-ratios over positions. */
type Truth = (position: number) => number;

/** Blocks as a machine with that noise has them: the two cores next to each other at each position. */
function drawn(truth: Truth, noise: Noise, random: Random, positions: readonly number[], blocks: number): PassOfRatios {
  const { base, other } = blocksOf(noise, random, blocks * positions.length);
  const at = (block: number, index: number): number => block * positions.length + index;
  return {
    positions,
    logRatios: Array.from({ length: blocks }, (_, block) =>
      positions.map((position, index) => truth(position) + other[at(block, index)]! - base[at(block, index)]!),
    ),
  };
}

/** Both passes of a break-even, the second where the first has found a change of sides. */
function measured(truth: Truth, noise: Noise, random: Random): readonly PassOfRatios[] {
  const first = drawn(truth, noise, random, coarse, COARSE_BLOCKS);
  const bracket = bracketOf(shapeOf(ratioCurve([first])), coarse[0]!);
  if (bracket === null) return [first];
  return [first, drawn(truth, noise, random, positionsWithin(bracket, REFINED_POSITIONS), REFINED_BLOCKS)];
}

/** One core costs `a` µs a request beside the handler, the other `b`, and it is up to `gain` times as fast. */
const twoCores =
  (a: number, b: number, gain: number): Truth =>
  (position) => {
    const micros = 10 * Math.expm1(position);
    return Math.log((gain * (a + micros)) / (b + micros));
  };

const crossings = suite("crossing of a ratio");

for (const [name, truth, at] of [
  ["at 18 µs", twoCores(12, 30, 1.6), Math.log1p(1.8)],
  ["at 828 µs", twoCores(12, 600, 1.7), Math.log1p((600 - 1.7 * 12) / 0.7 / 10)],
] as const) {
  for (const [noise, least] of [
    ["clean", 0.93],
    ["heavy tails", 0.93],
    ["bursts", 0.93],
    ["drift", 0.93],
    // Blocks that resemble their neighbours are fewer than they seem.
    ["autocorrelated", 0.92],
  ] as const) {
    if (!ALL && noise !== "clean" && noise !== "drift") continue;
    crossings(`${name}, ${noise}: the interval holds it in ${100 * least} to 97% of ${RUNS} runs`, () => {
      const random = seededRandom(2026);
      let held = 0;
      for (let run = 0; run < RUNS; run++) {
        const passes = measured(truth, noises[noise]!, random);
        const bracket = bracketOf(shapeOf(ratioCurve(passes)), coarse[0]!);
        if (bracket === null) continue;
        const { interval } = crossingBetween(passes, bracket, random, RESAMPLES)!;
        if (interval.low <= at && at <= interval.high) held++;
      }
      const share = held / RUNS;
      assert.ok(share >= least && share <= 0.97, `${(100 * share).toFixed(1)}%`);
    });
  }
}

crossings("without noise it is where the line between two neighbours passes 1, upwards and downwards", () => {
  const rising = { positions: [0, 1, 2, 4], logRatios: new Array(8).fill([-0.3, -0.1, 0.3, 0.5]) };
  const up = crossingBetween([rising], { from: 0, to: 4, rises: true }, seededRandom(1), 100)!;
  assert.ok(Math.abs(up.position - 1.25) < 1e-12);
  assert.ok(Math.abs(up.interval.low - 1.25) < 1e-12 && Math.abs(up.interval.high - 1.25) < 1e-12);
  const falling = { ...rising, logRatios: rising.logRatios.map((block: number[]) => block.map((value) => -value)) };
  const down = crossingBetween([falling], { from: 0, to: 4, rises: false }, seededRandom(1), 100)!;
  assert.ok(Math.abs(down.position - 1.25) < 1e-12);
});

crossings("what lies outside the bracket has no part in it", () => {
  const pass = { positions: [0, 1, 2, 3], logRatios: new Array(8).fill([5, -0.1, 0.1, -5]) };
  assert.is(crossingBetween([pass], { from: 1, to: 2, rises: true }, seededRandom(1), 50)!.position, 1.5);
});

crossings("blocks that lack a value leave the others theirs, and two positions are the fewest", () => {
  const holes = [
    [-0.2, Number.NaN, 0.2],
    [-0.2, 0, Number.NaN],
    [-0.2, 0, 0.2],
  ];
  const found = crossingBetween(
    [{ positions: [0, 1, 2], logRatios: holes }],
    { from: 0, to: 2, rises: true },
    seededRandom(1),
    50,
  )!;
  assert.is(found.position, 1);
  const one = { positions: [1], logRatios: [[0.1], [0.2]] };
  assert.is(crossingBetween([one], { from: 0, to: 2, rises: true }, seededRandom(1), 50), null);
});

crossings("the same seed gives the same interval", () => {
  const passes = measured(twoCores(12, 30, 1.6), noises["clean"]!, seededRandom(5));
  const bracket = bracketOf(shapeOf(ratioCurve(passes)), 0)!;
  const found = [1, 1, 2].map((seed) => crossingBetween(passes, bracket, seededRandom(seed), 200)!.interval.low);
  assert.is(found[0], found[1]);
  assert.is.not(found[0], found[2]);
});

crossings.run();

const shapes = suite("shape of a curve of ratios");

/** A curve in which a positive number is called above 1, a negative one below, and 0 not at all. */
function curveOf(signs: readonly number[]): readonly CurvePoint[] {
  const clean = seededRandom(3);
  return ratioCurve([
    {
      positions: signs.map((_, index) => index),
      logRatios: Array.from({ length: 10 }, () => signs.map((sign) => 0.3 * sign + 0.02 * (clean() - 0.5))),
    },
  ]);
}

shapes("never and always are told from a change of sides", () => {
  assert.equal(shapeOf(curveOf([-1, -1, 0])), { kind: "below", first: 0, last: 1 });
  assert.equal(shapeOf(curveOf([1, 1, 1])), { kind: "above", first: 0, last: 2 });
  assert.equal(shapeOf(curveOf([0, 0])), { kind: "level" });
  assert.equal(shapeOf(curveOf([-1, 0, 1])), { kind: "rises", from: 0, to: 2 });
  assert.equal(shapeOf(curveOf([1, 1, -1])), { kind: "falls", from: 1, to: 2 });
  assert.equal(shapeOf(curveOf([-1, 1, -1])), { kind: "several", from: 0, to: 2 });
});

shapes("a bracket is a change of sides, or what comes before the first call above 1", () => {
  assert.equal(bracketOf(shapeOf(curveOf([-1, 0, 1])), 0), { from: 0, to: 2, rises: true });
  assert.equal(bracketOf(shapeOf(curveOf([1, -1])), 0), { from: 0, to: 1, rises: false });
  assert.equal(bracketOf(shapeOf(curveOf([0, 1])), 0), { from: 0, to: 1, rises: true });
  for (const signs of [
    [1, 1],
    [-1, -1],
    [0, 0],
    [-1, 1, -1],
  ])
    assert.is(bracketOf(shapeOf(curveOf(signs)), 0), null);
  assert.equal(positionsWithin({ from: 1, to: 2, rises: true }, 3), [1.25, 1.5, 1.75]);
});

shapes("of equal cores about one curve in twenty holds a call, on whichever side", () => {
  const random = seededRandom(11);
  let called = 0;
  for (let run = 0; run < RUNS; run++) {
    const pass = drawn(() => 0, noises["clean"]!, random, coarse, COARSE_BLOCKS);
    if (shapeOf(ratioCurve([pass])).kind !== "level") called++;
  }
  assert.ok(called / RUNS <= 0.07, `${called} of ${RUNS}`);
});

shapes(
  "a core that never passes is found ahead in no more than one run of forty, one that always leads is never behind",
  () => {
    const random = seededRandom(12);
    let ahead = 0;
    for (let run = 0; run < RUNS; run++) {
      // One CPU: the pool's own cost matters less and less, and the ratio comes near to 1 from below.
      const { kind } = shapeOf(ratioCurve(measured(twoCores(12, 16, 1), noises["clean"]!, random)));
      if (kind === "rises" || kind === "above") ahead++;
      assert.is(shapeOf(ratioCurve(measured(() => 0.3, noises["clean"]!, random))).kind, "above");
    }
    assert.ok(ahead / RUNS <= 0.025, `${ahead} of ${RUNS}`);
  },
);

shapes.run();
