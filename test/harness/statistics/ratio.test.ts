import { suite } from "uvu";
import * as assert from "uvu/assert";
import { excludesOne, fewestPairs, logRatio, pairedP, pairedRatio } from "../../../src/harness/statistics/ratio.js";

const ones = (n: number): readonly number[] => new Array<number>(n).fill(1);

const point = suite("paired ratio");

point("swapping the cores inverts ratio and interval", () => {
  const base = [100, 200, 400, 800, 300, 500];
  const other = [110, 190, 480, 700, 310, 520];
  const there = pairedRatio(base, other)!;
  const back = pairedRatio(other, base)!;
  assert.ok(Math.abs(there.ratio * back.ratio - 1) < 1e-12);
  assert.ok(Math.abs(there.interval!.low * back.interval!.high - 1) < 1e-9);
  assert.ok(Math.abs(there.p - back.p) < 1e-12);
});

point("whole milliseconds tie alike in both directions", () => {
  for (const [a, b] of [
    [10, 11],
    [20, 22],
    [7, 3],
  ] as const) {
    assert.is(logRatio(a, b), -logRatio(b, a));
  }
  assert.is(logRatio(10, 11), logRatio(20, 22));
});

point("pairing takes out drift that both cores share", () => {
  const drift = [1, 0.7, 1.2, 0.9, 1.4, 0.6, 1.1];
  const noise = [1.001, 0.999, 1.002, 1, 0.998, 1.001, 0.999];
  const ratio = pairedRatio(
    drift.map((value) => 1000 * value),
    drift.map((value, pair) => 970 * value * noise[pair]!),
  )!;
  assert.ok(ratio.interval!.low > 0.965 && ratio.interval!.high < 0.975, JSON.stringify(ratio));
  assert.ok(excludesOne(ratio));
});

point("p and interval come from one procedure: p falls to 5% where the interval ends", () => {
  for (const blocks of [6, 8, 9, 16, 40]) {
    const other = Array.from({ length: blocks }, (_, block) =>
      Math.exp(0.02 * Math.sin(7 * block) + (block % 9 === 3 ? 1 : 0)),
    );
    const { low, high } = pairedRatio(ones(blocks), other)!.interval!;
    const p = (ratio: number): number => pairedP(other.map((value) => Math.log(value / ratio)));
    const little = 1 + 1e-3 * (high / low - 1);
    assert.ok(p(low * little) > 0.05 && p(high / little) > 0.05, `${blocks}: within`);
    assert.ok(p(low / little) <= 0.05 && p(high * little) <= 0.05, `${blocks}: without`);
    assert.is(pairedP(other.map(Math.log)), pairedRatio(ones(blocks), other)!.p);
  }
});

point("too few pairs give a ratio without an interval, and nothing is significant without one", () => {
  const ratio = pairedRatio(ones(5), [2, 2.1, 1.9, 2.05, 1.95])!;
  assert.is(ratio.interval, null);
  assert.is(ratio.pairs, fewestPairs - 1);
  assert.not.ok(excludesOne(ratio));
});

point("where most pairs are equal the ranks decide", () => {
  for (const other of [1, 1.1, 3]) {
    const ratio = pairedRatio(ones(8), new Array<number>(8).fill(other))!;
    assert.is(ratio.method, "ranks");
    assert.ok(Math.abs(ratio.ratio - other) < 1e-12);
    assert.is(excludesOne(ratio), other !== 1);
    assert.is(ratio.p, other === 1 ? 1 : 2 * 0.5 ** 8);
  }
});

point("values that have no logarithm have no ratio, and lists that are no pairs are refused", () => {
  assert.is(pairedRatio([1, 0, 1, 1], [1, 1, 1, 1]), null);
  assert.is(pairedRatio([1, 1, 1, 1], [1, Number.NaN, 1, 1]), null);
  assert.is(pairedRatio([], []), null);
  assert.throws(() => pairedRatio([1], [1, 2]), /not pairs/);
});

point(
  "a disturbed pair of seven, however far out, hardly moves the interval, and is not dropped from the count",
  () => {
    const clean = [0.79, 0.8, 0.81, 0.805, 0.795, 0.805, 0.8];
    const { interval } = pairedRatio(ones(7), clean)!;
    for (const far of [0.01, 2, 100]) {
      const found = pairedRatio(ones(7), clean.with(3, far))!;
      assert.is(found.pairs, 7);
      assert.ok(Math.abs(found.interval!.low - interval!.low) < 0.01, JSON.stringify(found));
      assert.ok(Math.abs(found.interval!.high - interval!.high) < 0.01, JSON.stringify(found));
    }
  },
);

point.run();
