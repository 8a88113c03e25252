import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  changeTest,
  type Difference,
  isCalled,
  judge,
  pairedTest,
  type TestResult,
} from "../../../src/harness/statistics/difference.js";
import { holm } from "../../../src/harness/statistics/holm.js";
import { rankSum } from "../../../src/harness/statistics/rank-sum.js";
import { pairedRatio } from "../../../src/harness/statistics/ratio.js";

/** Ten trials of a base that drifts, and of another that is `factor` times as fast, but for a little. */
const drift = [100, 90, 120, 105, 80, 110, 95, 130, 99, 101];
const little = [1.01, 0.99, 1.02, 0.98, 1.005, 0.995, 1.015, 0.985, 1.003, 0.997];
const times = (factor: number): readonly number[] => drift.map((value, index) => value * factor * little[index]!);
const testOf = (factor: number, trials = 10): TestResult =>
  pairedTest(drift.slice(0, trials), times(factor).slice(0, trials))!;
const codes = (difference: Difference | null): readonly string[] => difference!.doubts.map(({ code }) => code);

const calls = suite("when a difference is called");

calls("it is where p is small and the interval leaves out 1, upwards and downwards", () => {
  const [faster, slower, equal] = judge([testOf(1.1), testOf(0.9), testOf(1)]);
  assert.equal([faster!.verdict, slower!.verdict, equal!.verdict], ["higher", "lower", "none"]);
  assert.ok(isCalled(faster!) && isCalled(slower!) && !isCalled(equal!));
  assert.is(faster!.p, pairedRatio(drift, times(1.1))!.p);
  assert.equal(
    [faster, slower, equal].map((found) => found!.correctedP),
    holm([faster, slower, equal].map((found) => found!.p)),
  );
  assert.is(faster!.family, 3);
  assert.ok(faster!.interval!.low > 1 && slower!.interval!.high < 1);
});

calls("what is significant alone may not be so among many, and says so", () => {
  // Differences of 1.4% with noise of 1.3%: p between 0.05 ÷ 8 and 0.05.
  const close = testOf(1.013);
  assert.ok(close.ratio.p < 0.05 && close.ratio.p > 0.05 / 8, `${close.ratio.p}`);
  assert.is(judge([close])[0]!.verdict, "higher");
  const among = judge([close, ...Array.from({ length: 7 }, () => testOf(1))])[0]!;
  assert.is(among.verdict, "none");
  assert.equal(among.doubts, [{ code: "not-significant", p: among.correctedP, family: 8, alone: true }]);
});

calls("with so few trials that none could be significant nothing is decided, and the number needed is told", () => {
  const four = judge([testOf(5, 4)])[0]!;
  assert.is(four.verdict, "undecided");
  assert.equal(four.doubts, [{ code: "too-few-trials", trials: 4, needed: 6, family: 1 }]);
  const six = judge(Array.from({ length: 4 }, () => testOf(5, 6)))[0]!;
  assert.is(six.verdict, "higher");
  // Equal ratios have ranks only, and six of these cannot be significant among four.
  const alike = judge(Array.from({ length: 4 }, () => pairedTest(new Array(6).fill(1), new Array(6).fill(2))))[0]!;
  assert.equal(alike.doubts, [{ code: "too-few-trials", trials: 6, needed: 8, family: 4 }]);
});

calls("perfect separation without spread is a difference: 1 ms against 2 ms in 16 of 16 blocks", () => {
  const [difference] = judge([pairedTest(new Array(16).fill(1), new Array(16).fill(2))]);
  assert.is(difference!.verdict, "higher");
  assert.is(difference!.method, "ranks");
  assert.is(difference!.p, 2 * 0.5 ** 16);
  assert.ok(Math.abs(difference!.ratio - 2) < 1e-12 && difference!.interval!.low > 1.99);
  const [same] = judge([pairedTest(new Array(16).fill(2), new Array(16).fill(2))]);
  assert.equal([same!.verdict, same!.p], ["none", 1]);
});

calls("seven blocks at 1.7 and a disturbed one are a difference", () => {
  const [difference] = judge([pairedTest(new Array(8).fill(1), [1.69, 1.72, 1.75, 0.23, 1.78, 1.81, 1.7, 1.77])]);
  assert.is(difference!.verdict, "higher");
  assert.ok(difference!.interval!.low > 1.6 && difference!.interval!.high < 1.9, JSON.stringify(difference));
});

calls("where most pairs are equal a few others make no difference, whatever their ranks", () => {
  const other = [...new Array(9).fill(2), 3, 3, 3, 3, 3, 3, 3];
  const [difference] = judge([pairedTest(new Array(16).fill(2), other)]);
  assert.ok(difference!.p <= 0.05);
  assert.is(difference!.verdict, "none");
  assert.equal(codes(difference!), ["interval-holds-one"]);
});

calls("a difference within the noise floor is none, upwards and downwards, and one beyond it is one", () => {
  for (const [factor, floor, verdict] of [
    [1.1, 1.2, "none"],
    [1.1, 1.05, "higher"],
    [0.9, 1.2, "none"],
    [0.9, 1.05, "lower"],
  ] as const) {
    const [difference] = judge([testOf(factor)], floor);
    assert.is(difference!.verdict, verdict, `${factor} against ${floor}`);
    assert.equal(codes(difference!), verdict === "none" ? ["below-noise-floor"] : []);
  }
});

calls("a difference as large as the noise floor is within it", () => {
  const { ratio } = judge([testOf(1.1)])[0]!;
  assert.is(judge([testOf(1.1)], ratio)[0]!.verdict, "none");
  assert.is(judge([testOf(1.1)], ratio * (1 - 1e-12))[0]!.verdict, "higher");
});

calls("what cannot be compared keeps its place and is not counted in the family", () => {
  const [none, one] = judge([null, testOf(1.1)]);
  assert.is(none, null);
  assert.is(one!.family, 1);
  assert.equal(judge([]), []);
});

const logsOf = (values: readonly number[]): readonly number[] => values.map(Math.log);

calls("a ratio that changed between two sweeps is found, and what both cores have alike is in neither", () => {
  const before = logsOf([1.01, 0.99, 1.02, 0.98, 1.005, 0.995, 1.015, 0.985]);
  const after = before.map((log, block) => log + Math.log(0.9) + 0.002 * (block % 3));
  const [changed, same] = judge([changeTest(before, after), changeTest(before, [...before].reverse())]);
  assert.is(changed!.verdict, "lower");
  assert.ok(Math.abs(changed!.ratio - 0.902) < 0.003);
  assert.is(same!.verdict, "none");
  assert.ok(Math.abs(same!.ratio - 1) < 1e-12);
});

calls("few blocks on one side are compared by ranks: 3 and 40 can show a difference, 3 and 3 cannot", () => {
  const forty = Array.from({ length: 40 }, (_, block) => 0.001 * block);
  const [found] = judge([changeTest([-1, -1.01, -1.02], forty)]);
  assert.is(found!.verdict, "higher");
  assert.is(found!.p, rankSum([-1, -1.01, -1.02], forty).p);
  const [few] = judge([changeTest([-1, -1.01, -1.02], [0, 0.01, 0.02])]);
  assert.equal(few!.doubts, [{ code: "too-few-trials", trials: 3, needed: 4, family: 1 }]);
});

calls("values that have no logarithm have no evidence", () => {
  assert.is(pairedTest([1, 0], [1, 1]), null);
  assert.is(changeTest([1, 2], []), null);
});

calls.run();
