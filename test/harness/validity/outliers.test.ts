import { suite } from "uvu";
import * as assert from "uvu/assert";
import { modifiedZScores } from "../../../src/harness/validity/outliers.js";

const scores = suite("modified z-scores");

scores("the median absolute distance is R's: 2 for 1 to 9, whatever the ninth value is", () => {
  // R, ?mad: mad(c(1:9), constant = 1) == mad(c(1:8, 100), constant = 1), both 2.
  const score = (values: readonly number[]): number => modifiedZScores(values).at(-1)!;
  assert.ok(Math.abs(score([1, 2, 3, 4, 5, 6, 7, 8, 9]) - (0.6745 * 4) / 2) < 1e-12);
  assert.ok(Math.abs(score([1, 2, 3, 4, 5, 6, 7, 8, 100]) - (0.6745 * 95) / 2) < 1e-12);
});

scores("two outliers do not hide each other, as they do from the standard deviation", () => {
  const values = [2.1, 2.6, 2.4, 2.5, 2.3, 2.1, 2.3, 2.6, 8.2, 8.3];
  const far = modifiedZScores(values).filter((score) => score > 3.5);
  assert.is(far.length, 2);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
  assert.ok(values.every((value) => Math.abs(value - mean) / deviation < 3));
});

scores("one that differs from values that are equal is infinitely far, equal ones not at all", () => {
  assert.equal(modifiedZScores([5, 5, 5, 5, 6]), [0, 0, 0, 0, Number.POSITIVE_INFINITY]);
  assert.equal(modifiedZScores([5, 5]), [0, 0]);
  assert.equal(modifiedZScores([]), []);
});

scores.run();
