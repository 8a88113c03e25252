import { suite } from "uvu";
import * as assert from "uvu/assert";
import { normal } from "../../../bench/noises.js";
import { answerOf } from "../../../src/harness/report/answer.js";
import { compare } from "../../../src/harness/report/comparison.js";
import { seededRandom } from "../../../src/harness/statistics/random.js";
import type { SweepResult } from "../../../src/harness/sweep/result.js";
import { disturbedScore, modifiedZScores } from "../../../src/harness/validity/outliers.js";
import { plausibleSweep, withCell } from "./fixture.js";

const sweep = plausibleSweep({ rates: { reactor: 100_000, pool: 100_000 }, plan: { trials: 16, requests: 100 } });

/** The sweep with some trials of the pool at c=10 at a tenth of their speed. */
const slowed = (blocks: number): SweepResult =>
  withCell(
    sweep,
    "pool",
    10,
    ({ run }) => ({ run: { ...run, elapsedSeconds: 10 * run.elapsedSeconds } }),
    (block) => block < blocks,
  );

const disturbed = suite("disturbed trials");

disturbed("are counted by core and printed, and none is dropped", () => {
  const { explanation } = answerOf(compare(slowed(1)));
  const text = explanation.find((sentence) => sentence.includes("far from the others of its cell"));
  assert.is(
    text,
    "1 trial lies far from the others of its cell: reactor 0 of 64, pool 1 of 64; none was dropped or run again.",
  );
});

disturbed("where one core has more of them than chance explains the report says that first", () => {
  const { explanation } = answerOf(compare(slowed(7)));
  assert.match(
    explanation[0]!,
    /^The pool has more trials far from the rest than chance explains: 7 of 64, all others 0 of 64 \(Fisher's exact test, p = 0\.0\d+ after Holm\)/,
  );
  assert.not.match(answerOf(compare(slowed(2))).explanation.join(" "), /than chance explains/);
});

disturbed("of clean cells 1 to 2% have one, and of small ones no more", () => {
  for (const trials of [5, 6, 7, 8, 9, 10, 12, 16, 20, 30]) {
    const random = seededRandom(trials);
    const cells = 4000;
    let flagged = 0;
    for (let cell = 0; cell < cells; cell++) {
      const scores = modifiedZScores(Array.from({ length: trials }, () => normal(random)));
      if (Math.max(...scores) > disturbedScore(trials)) flagged++;
    }
    assert.ok(flagged >= 0.008 * cells && flagged <= 0.022 * cells, `${trials} trials: ${flagged} of ${cells}`);
  }
  assert.is(disturbedScore(4), Number.POSITIVE_INFINITY);
});

disturbed.run();
