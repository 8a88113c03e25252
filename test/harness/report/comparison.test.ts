import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compare } from "../../../src/harness/report/comparison.js";
import { median } from "../../../src/harness/statistics/median.js";
import type { SweepResult } from "../../../src/harness/sweep/result.js";
import { errorStorm, generatorLimited, nearLimit, plausibleSweep, withCell } from "./fixture.js";

const rates = { reactor: 100_000, pool: 90_000 };
const sweep = plausibleSweep({ rates });
const comparing = suite("comparison");

comparing("a cell's figures are medians over its trials, computed per trial", () => {
  const cell = compare(sweep).levels[1]?.cells[1];
  assert.is(cell?.core, "pool");
  assert.is(cell?.concurrency, 100);
  const runs = sweep.trials.filter(({ core, concurrency }) => core === "pool" && concurrency === 100);
  assert.is(runs.length, 10);
  const speeds = runs.map(({ run }) => run!.completed / run!.elapsedSeconds);
  assert.is(cell?.estimates.requestsPerSecond.value, median(speeds));
  // Of ten values the second from either end (the sign test's table).
  const sorted = [...speeds].sort((a, b) => a - b);
  assert.is(cell?.estimates.requestsPerSecond.interval?.low, sorted[1]);
  assert.is(cell?.estimates.requestsPerSecond.interval?.high, sorted[8]);
  const cpu = runs.map(({ server }) => (server!.cpuUserMicros + server!.cpuSystemMicros) / 1000);
  assert.is(cell?.estimates.cpuPerRequestMicros.value, median(cpu));
  assert.is(cell?.estimates.peakRssMebibytes.value, median(runs.map(({ server }) => server!.peakRssBytes / 1048576)));
  assert.is(cell?.estimates.maxMs.value, median(runs.map(({ run }) => (run!.latency.total?.max ?? 0) / 1e6)));
  // ab: concurrency × time taken ÷ complete requests.
  assert.ok(
    Math.abs((cell?.estimates.timePerRequestMs.value ?? 0) - median(speeds.map((speed) => 100_000 / speed))) < 1e-9,
  );
});

comparing("percentiles are those of the stored latencies, in milliseconds", () => {
  const [cell] = compare(plausibleSweep({ rates: { reactor: 1000 }, plan: { trials: 1, concurrencies: [1] } }))
    .levels[0]!.cells;
  const { p50Ms, p90Ms, p99Ms, maxMs } = cell!.estimates;
  // Log-normal times with σ = 0.3 and mean 0.97 ms: median 0.927, 90% 1.362, 99% 1.863.
  assert.ok(Math.abs(p50Ms.value - 0.927) < 0.06, `${p50Ms.value}`);
  assert.ok(Math.abs(p90Ms.value - 1.362) < 0.1, `${p90Ms.value}`);
  assert.ok(Math.abs(p99Ms.value - 1.863) < 0.25, `${p99Ms.value}`);
  assert.ok(maxMs.value > p99Ms.value);
  assert.is(p50Ms.interval, null);
});

comparing("the ratio of two cores is the true one at every concurrency, in spite of drift between blocks", () => {
  let held = 0;
  for (const { ratios, outcome } of compare(sweep).levels) {
    const { ratio, interval, pairs } = ratios[0]!.byMetric.requestsPerSecond!;
    assert.is(pairs, 10);
    assert.ok(Math.abs(ratio - 0.9) < 0.02);
    assert.ok(interval!.high - interval!.low < 0.06, JSON.stringify(interval));
    if (interval!.low < 0.9 && 0.9 < interval!.high) held++;
    assert.equal(outcome, { kind: "ranked", fastest: ["reactor"], atLeast: false });
  }
  // Of four intervals of 95% all hold the truth in 81 of 100 draws of noise, three in 99: this is one draw.
  assert.ok(held >= 3, `${held} of 4`);
});

comparing("trials are paired by block, in whatever order they are stored", () => {
  const shuffled = { ...sweep, trials: [...sweep.trials].reverse() };
  const ratio = (of: typeof sweep) => compare(of).levels[0]!.ratios[0]!.byMetric.requestsPerSecond!.interval!;
  assert.ok(Math.abs(ratio(shuffled).low - ratio(sweep).low) < 0.005);
  const unpaired = {
    ...sweep,
    trials: sweep.trials.map((trial) => (trial.core === "pool" ? { ...trial, block: (trial.block + 3) % 10 } : trial)),
  };
  const width = ({ low, high }: { low: number; high: number }) => high - low;
  assert.ok(width(ratio(unpaired)) > 2 * width(ratio(sweep)), "pairing across blocks lets the drift in");
});

comparing("an error storm that looks a hundred times as fast is not ranked", () => {
  const stormy = withCell(sweep, "pool", 100, errorStorm);
  const level = compare(stormy).levels[1]!;
  assert.ok(level.cells[1]!.estimates.requestsPerSecond.value > 5 * level.cells[0]!.estimates.requestsPerSecond.value);
  assert.equal(
    level.cells[1]!.verdict.reasons.map(({ code }) => code),
    ["errors"],
  );
  assert.equal(level.outcome, { kind: "not-ranked" });
  assert.ok(Object.values(level.ratios[0]!.byMetric).every((ratio) => ratio === null));
  assert.is(compare(stormy).levels[0]!.outcome.kind, "ranked");
});

comparing("one error in one trial is enough to leave a cell out", () => {
  const once = withCell(
    sweep,
    "reactor",
    10,
    ({ run }) => ({
      run: {
        ...run,
        completed: run.completed - 1,
        keepAliveResponses: run.completed - 1,
        errors: { ...run.errors, timeout: 1 },
      },
    }),
    (block) => block === 4,
  );
  assert.equal(compare(once).levels[0]!.outcome, { kind: "not-ranked" });
  assert.is(compare(once).levels[0]!.cells[0]!.failedRequests, 1);
});

comparing("of three cores the fastest leads, with those that cannot be told apart from it", () => {
  const three = compare(plausibleSweep({ rates: { bare: 50_000, reactor: 100_000, pool: 100_000 } }));
  for (const { outcome, ratios } of three.levels) {
    assert.is(outcome.kind, "ranked");
    if (outcome.kind === "ranked") assert.equal([...outcome.fastest].sort(), ["pool", "reactor"]);
    assert.equal(
      ratios.map(({ core }) => core),
      ["reactor", "pool"],
    );
  }
});

comparing("a core that is invalid might have been the fastest: no other is named so", () => {
  const three = plausibleSweep({ rates: { reactor: 100_000, pool: 80_000, processes: 50_000 } });
  const [level] = compare(withCell(three, "processes", 10, errorStorm)).levels;
  assert.equal(level?.outcome, { kind: "not-ranked" });
  assert.ok(level?.ratios[0]?.byMetric.requestsPerSecond, "the two valid cells still have their ratio");
});

comparing(
  "where the generator was the limit of one core, that core is faster by at least as much, and costs are compared",
  () => {
    const [level] = compare(withCell(sweep, "reactor", 10, generatorLimited)).levels;
    assert.is(level?.cells[0]?.verdict.valid, false);
    assert.is(level?.ratios[0]?.speedBound?.side, "at most");
    assert.ok(Math.abs((level?.ratios[0]?.speedBound?.ratio.ratio ?? 0) - 0.9) < 0.02);
    assert.equal(level?.outcome, { kind: "ranked", fastest: ["reactor"], atLeast: true });
    assert.is(level?.ratios[0]?.byMetric.requestsPerSecond, null);
    assert.is(level?.ratios[0]?.byMetric.p99Ms, null);
    assert.ok(level?.ratios[0]?.byMetric.cpuPerRequestMicros);
    const faster = plausibleSweep({ rates: { reactor: 90_000, pool: 100_000 } });
    assert.is(
      compare(withCell(faster, "pool", 10, generatorLimited)).levels[0]?.ratios[0]?.speedBound?.side,
      "at least",
    );
  },
);

comparing(
  "no bound is drawn from a slower core that the generator held back, nor from two, nor from a partner that had room",
  () => {
    const bounds = (of: SweepResult) => compare(of).levels[0];
    const slower = bounds(withCell(sweep, "pool", 10, generatorLimited));
    const both = bounds(withCell(withCell(sweep, "pool", 10, generatorLimited), "reactor", 10, generatorLimited));
    const room = bounds(withCell(withCell(sweep, "pool", 10, nearLimit), "reactor", 10, generatorLimited));
    assert.is(bounds(withCell(sweep, "pool", 10, nearLimit))?.outcome.kind, "ranked", "near its limit alone is valid");
    for (const level of [slower, both, room]) {
      assert.is(level?.ratios[0]?.speedBound, null);
      assert.equal(level?.outcome, { kind: "not-ranked" });
    }
  },
);

comparing("three trials decide nothing, however far apart the cores are", () => {
  const few = compare(plausibleSweep({ rates: { reactor: 100_000, pool: 20_000 }, plan: { trials: 3 } }));
  assert.ok(few.levels.every(({ outcome }) => outcome.kind === "undecided"));
});

comparing("two equal cores are found different about as often as the level allows", () => {
  let found = 0;
  for (let seed = 0; seed < 40; seed++) {
    const equal = plausibleSweep({
      rates: { a: 1000, b: 1000 },
      seed,
      plan: { concurrencies: [10], requests: 20 },
      noise: 0.02,
    });
    const [{ outcome } = { outcome: null }] = compare(equal).levels;
    if (outcome?.kind === "ranked" && outcome.fastest.length === 1) found++;
  }
  assert.ok(found <= 6, `${found} of 40`);
});

comparing.run();
