import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { RunResult } from "../../../src/harness/load/result/run-result.js";
import { answerOf } from "../../../src/harness/report/answer.js";
import { compare } from "../../../src/harness/report/comparison.js";
import type { SweepResult, TrialResult } from "../../../src/harness/sweep/result.js";
import { errorStorm, plausibleSweep, withCell } from "./fixture.js";

const control = { name: "reactor again", of: "reactor" };
const sweepOf = (pool: number, noise = 0.01, seed = 1): SweepResult =>
  plausibleSweep({ rates: { reactor: 100_000, pool }, plan: { control }, noise, seed });

/** The window and the latencies of a trial last `factor` times as long. */
const slowed =
  (factor: number) =>
  ({ run }: { readonly run: RunResult }): Partial<TrialResult> => ({
    run: {
      ...run,
      elapsedSeconds: run.elapsedSeconds * factor,
      latency: { ...run.latency, total: { ...run.latency.total, sum: run.latency.total.sum * factor } },
    },
  });

const aa = suite("A/A");

aa("the control is measured beside the cores and is none of them", () => {
  const comparison = compare(sweepOf(90_000));
  assert.is(comparison.plannedTrials, 3 * 4 * 10);
  for (const { cells, ratios } of comparison.levels) {
    assert.equal(
      cells.map(({ core }) => core),
      ["reactor", "pool"],
    );
    assert.is(ratios.length, 1);
    assert.is(ratios[0]!.byMetric.requestsPerSecond!.family, 4, "Holm's family has no comparison with the control");
  }
  const { noise } = comparison;
  assert.equal(
    noise!.levels.map(({ concurrency }) => concurrency),
    [10, 100, 250, 450],
  );
  // Pairs with noise of 1% each: 1.4% over ten blocks is 0.45%, of which 1.96 is 0.9%.
  const floor = noise!.floors.requestsPerSecond!;
  assert.ok(floor.ratio > 1.005 && floor.ratio < 1.02, `${floor.ratio}`);
  assert.is(floor.pairs, 40);
});

aa("a difference beyond the floor is called, one within it is not and says why", () => {
  const beyond = compare(sweepOf(90_000));
  assert.ok(beyond.levels.every(({ outcome }) => outcome.kind === "ranked" && outcome.fastest.length === 1));
  assert.match(
    answerOf(beyond).explanation.join(" "),
    /A\/A: measured against itself the reactor comes to .* at c=10, .*Noise floor: .* up to \d\.\d% is called one\./,
  );

  // The twin 8% off, as something that favours one name would have it: then 5% says nothing.
  const sweep = sweepOf(95_000, 0.005);
  let biased = sweep;
  for (const concurrency of [10, 100, 250, 450]) biased = withCell(biased, control.name, concurrency, slowed(1.08));
  const within = compare(biased);
  for (const { ratios, outcome } of within.levels) {
    const speed = ratios[0]!.byMetric.requestsPerSecond!;
    assert.is(speed.verdict, "none");
    assert.equal(
      speed.doubts.map(({ code }) => code),
      ["below-noise-floor"],
    );
    assert.is(outcome.kind === "ranked" && outcome.fastest.length, 2);
  }
  const { lines } = answerOf(within);
  assert.match(lines[0]!, /no difference found, within the noise floor of \d\.\d% that the A\/A run found\.$/);
});

aa("a core that is told apart from itself is told of", () => {
  const sweep = sweepOf(95_000, 0.005);
  const { noise } = compare(sweep);
  assert.not.match(answerOf(compare(sweep)).explanation.join(" "), /told apart from itself/);
  assert.ok(noise!.levels.every(({ speed }) => speed?.verdict === "none"));
  const slower = withCell(sweep, control.name, 100, slowed(1.05));
  assert.match(
    answerOf(compare(slower)).explanation.join(" "),
    /A\/A: at c=100 the reactor was told apart from itself/,
  );
});

aa("a control with errors gives no floor at its concurrency, and none at all where it has errors everywhere", () => {
  const once = compare(withCell(sweepOf(90_000), control.name, 10, errorStorm)).noise!;
  assert.is(once.floors.requestsPerSecond!.pairs, 30);
  assert.is(once.levels[0]!.speed, null);
  let sweep = sweepOf(90_000);
  for (const concurrency of [10, 100, 250, 450]) sweep = withCell(sweep, control.name, concurrency, errorStorm);
  const nowhere = compare(sweep);
  assert.is(nowhere.noise!.floors.requestsPerSecond, null);
  assert.match(answerOf(nowhere).explanation.join(" "), /the noise floor is not known/);
  assert.is(nowhere.levels[0]!.outcome.kind, "ranked");
});

aa("a sweep without an A/A part has no floor", () => {
  assert.is(compare(plausibleSweep({ rates: { reactor: 1000, pool: 900 } })).noise, null);
});

aa.run();
