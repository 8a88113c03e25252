import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  type Difference,
  type Evidence,
  isCalled,
  judge,
  pairedEvidence,
  unpairedEvidence,
} from "../../../src/harness/statistics/difference.js";
import { rankSum } from "../../../src/harness/statistics/rank-sum.js";
import { signedRank } from "../../../src/harness/statistics/signed-rank.js";

/** Ten trials of a base that drifts, and of another that is `factor` times as fast, but for a little. */
const drift = [100, 90, 120, 105, 80, 110, 95, 130, 99, 101];
const little = [1.01, 0.99, 1.02, 0.98, 1.005, 0.995, 1.015, 0.985, 1.003, 0.997];
const times = (factor: number): readonly number[] => drift.map((value, index) => value * factor * little[index]!);
const evidenceOf = (factor: number, trials = 10): Evidence =>
  pairedEvidence(drift.slice(0, trials), times(factor).slice(0, trials), { seed: 1 })!;
const codes = (difference: Difference | null): readonly string[] => difference!.doubts.map(({ code }) => code);

const calls = suite("when a difference is called");

calls("it is where the ranks are significant and the interval leaves out 1, upwards and downwards", () => {
  const [faster, slower, equal] = judge([evidenceOf(1.1), evidenceOf(0.9), evidenceOf(1)]);
  assert.equal([faster!.verdict, slower!.verdict, equal!.verdict], ["higher", "lower", "none"]);
  assert.ok(isCalled(faster!) && isCalled(slower!) && !isCalled(equal!));
  assert.is(faster!.p, signedRank(drift.map((value, index) => Math.log(times(1.1)[index]! / value))).p);
  assert.is(faster!.correctedP, 3 * faster!.p);
  assert.is(faster!.family, 3);
  assert.ok(faster!.interval!.low > 1 && slower!.interval!.high < 1);
});

calls("what is significant alone may not be so among many, and says so", () => {
  // Differences of 1.4% with noise of 1.3%: p between 0.05 ÷ 8 and 0.05.
  const close = evidenceOf(1.014);
  assert.ok(close.p < 0.05 && close.p > 0.05 / 8, `${close.p}`);
  assert.is(judge([close])[0]!.verdict, "higher");
  const among = judge([close, ...Array.from({ length: 7 }, () => evidenceOf(1))])[0]!;
  assert.is(among.verdict, "none");
  assert.equal(among.doubts, [{ code: "not-significant", p: among.correctedP, family: 8, alone: true }]);
});

calls("with so few trials that none could be significant nothing is decided, and the number needed is told", () => {
  const four = judge([evidenceOf(5, 4)])[0]!;
  assert.is(four.verdict, "undecided");
  assert.equal(four.doubts, [{ code: "too-few-trials", trials: 4, needed: 6, family: 1 }]);
  const seven = judge(Array.from({ length: 4 }, () => evidenceOf(5, 7)))[0]!;
  assert.equal(seven.doubts, [{ code: "too-few-trials", trials: 7, needed: 8, family: 4 }]);
  const eight = judge(Array.from({ length: 4 }, () => evidenceOf(5, 8)))[0]!;
  assert.is(eight.verdict, "higher");
});

calls("trials that are all alike decide nothing", () => {
  const alike = pairedEvidence(
    drift,
    drift.map((value) => 2 * value),
    { seed: 1 },
  );
  const [difference] = judge([alike]);
  assert.is(difference!.verdict, "undecided");
  assert.equal(codes(difference!), ["no-spread"]);
});

calls("a trial so far out that the interval holds 1 keeps a difference from being called", () => {
  const other = times(1.02).map((value, index) => (index === 0 ? 4 * value : value));
  const wild = pairedEvidence(drift, other, { seed: 1 })!;
  const [difference] = judge([{ ...wild, p: 0.002 }]);
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
    const [difference] = judge([evidenceOf(factor)], floor);
    assert.is(difference!.verdict, verdict, `${factor} against ${floor}`);
    assert.equal(codes(difference!), verdict === "none" ? ["below-noise-floor"] : []);
  }
});

calls("what cannot be compared keeps its place and is not counted in the family", () => {
  const [none, one] = judge([null, evidenceOf(1.1)]);
  assert.is(none, null);
  assert.is(one!.family, 1);
  assert.equal(judge([]), []);
});

calls("samples that are not paired are compared by Mann-Whitney, and by ratios of all to all", () => {
  const before = [100, 101, 99, 102, 98, 100.5];
  const after = [90, 91, 89, 92, 88.5, 90.5, 91.5];
  const evidence = unpairedEvidence(before, after)!;
  assert.is(evidence.p, rankSum(before, after).p);
  assert.is(evidence.trials, 6);
  assert.ok(Math.abs(evidence.ratio.ratio - 0.9) < 0.01);
  const [difference] = judge([evidence]);
  assert.is(difference!.verdict, "lower");
  const few = judge([unpairedEvidence([100, 101, 99], [50, 51, 52])])[0]!;
  assert.equal(few.doubts, [{ code: "too-few-trials", trials: 3, needed: 4, family: 1 }]);
});

calls("values that have no logarithm have no evidence", () => {
  assert.is(pairedEvidence([1, 0], [1, 1], { seed: 1 }), null);
  assert.is(unpairedEvidence([1, 2], [0, 1]), null);
  assert.is(unpairedEvidence([], [1]), null);
});

calls.run();
