import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Answer, answerOf } from "../../../src/harness/report/answer.js";
import { throughputPlot } from "../../../src/harness/report/charts.js";
import { compare } from "../../../src/harness/report/comparison.js";
import { comparability } from "../../../src/harness/report/notes.js";
import type { SweepPlan, SweepResult, TrialResult } from "../../../src/harness/sweep/result.js";
import { errorStorm, generatorLimited, plausibleSweep, withCell } from "./fixture.js";

const answer = (sweep: SweepResult): Answer => answerOf(compare(sweep));
const sweepOf = (reactor: number, pool: number): SweepResult => plausibleSweep({ rates: { reactor, pool } });

/** The levels of one sweep up to a concurrency, those of another above it. */
function joined(below: SweepResult, above: SweepResult, last: number): SweepResult {
  const pick = (sweep: SweepResult, low: boolean): readonly TrialResult[] =>
    sweep.trials.filter(({ concurrency }) => concurrency <= last === low);
  return { ...below, trials: [...pick(below, true), ...pick(above, false)] };
}

const answers = suite("answer");

answers("a slower pool: the reactor is named, and each concurrency has its ratio with interval", () => {
  const { headline, lines } = answer(sweepOf(100_000, 90_000));
  assert.is(
    headline,
    "The server had 1 CPU. On this evidence this handler (GET /) is served best by the reactor: it serves the most requests per second at every concurrency measured.",
  );
  assert.is(lines.length, 4);
  for (const [index, concurrency] of [10, 100, 250, 450].entries()) {
    assert.match(
      lines[index]!,
      new RegExp(
        `^At c=${concurrency} the pool serves 0\\.(89|90|91) × the reactor's requests \\[0\\.\\d\\d, 0\\.\\d\\d\\]: slower\\.$`,
      ),
    );
  }
});

answers("a faster pool is named", () => {
  const { headline, lines } = answer(sweepOf(1000, 1800));
  assert.match(headline, /served best by the pool/);
  assert.match(lines[3]!, /^At c=450 the pool serves 1\.\d\d × the reactor's requests \[.*\]: faster\.$/);
});

answers("equal cores: no difference was found, and none is named best", () => {
  const { headline, lines, explanation } = answer(
    plausibleSweep({ rates: { reactor: 100_000, pool: 100_000 }, seed: 2 }),
  );
  assert.is(
    headline,
    "The server had 1 CPU. On this evidence no difference was found between reactor and pool for this handler (GET /).",
  );
  assert.match(explanation[0]!, /^On one CPU the pool's workers take turns .* one CPU/);
  assert.match(
    explanation[1]!,
    /^Where no difference was found, the intervals leave room for 0\.9\d to 1\.0\d × the reactor's requests by the pool\.$/,
  );
  for (const line of lines) assert.match(line, /no difference found\.$/);
});

answers("a winner that changes with the concurrency is said to", () => {
  const { headline, explanation } = answer(joined(sweepOf(100_000, 90_000), sweepOf(100_000, 120_000), 100));
  assert.match(headline, /depends on the concurrency/);
  assert.ok(explanation.includes("At c=10 and 100 the reactor is fastest."), explanation.join(" "));
  assert.ok(explanation.includes("At c=250 and 450 the pool is fastest."));
});

answers("a winner at some concurrencies that is level at the others is named with them", () => {
  const level = plausibleSweep({ rates: { reactor: 100_000, pool: 100_000 }, seed: 2 });
  const { headline, explanation } = answer(joined(sweepOf(100_000, 80_000), level, 100));
  assert.match(headline, /served best by the reactor: .* at c=10 and 100\.$/);
  assert.ok(explanation.includes("At c=250 and 450 no difference was found between reactor and pool."));
});

answers("an invalid cell is not ranked, with the reason in the line of its concurrency", () => {
  const { headline, lines, explanation } = answer(withCell(sweepOf(100_000, 90_000), "pool", 450, errorStorm));
  assert.is(
    lines[3],
    "At c=450 the pool and the reactor are not ranked (pool: 9,000 of 10,000 requests failed: unexpected-status 9,000 with status 503).",
  );
  assert.match(headline, /at c=10, 100 and 250\.$/);
  assert.ok(explanation.includes("Not ranked: c=450 (see Validity)."));
});

answers("with no valid pair there is no answer, and it says so", () => {
  let sweep = sweepOf(100_000, 90_000);
  for (const concurrency of [10, 100, 250, 450]) sweep = withCell(sweep, "pool", concurrency, errorStorm);
  assert.is(
    answer(sweep).headline,
    "The server had 1 CPU. No answer: at no concurrency are the results of all cores valid.",
  );
  assert.not.match(answer(sweep).explanation.join(" "), /× the reactor's/);
});

answers("where the generator was the limit of the faster core, its lead is a bound and the cost is told", () => {
  const { headline, lines, explanation } = answer(withCell(sweepOf(100_000, 90_000), "reactor", 100, generatorLimited));
  assert.match(
    headline,
    /served best by the reactor: it serves the most requests per second at every concurrency measured\.$/,
  );
  assert.match(
    lines[1]!,
    /^At c=100 the pool serves at most 0\.(89|90|91) × the reactor's requests \[.*\]: slower \(reactor: the load generator was the limit: it was 97% busy, the server 70% \(full is 90%\)\)\. The pool spends 1\.\d\d × the reactor's server CPU per request \[.*\]\.$/,
  );
  assert.match(
    explanation.join(" "),
    /At c=100 the load generator was the limit of the fastest core, so its lead is at least what was measured\./,
  );
});

answers("where the generator was the limit of all, there is no answer on speed but one on cost", () => {
  let sweep = sweepOf(100_000, 90_000);
  for (const core of ["reactor", "pool"])
    for (const concurrency of [10, 100, 250, 450]) sweep = withCell(sweep, core, concurrency, generatorLimited);
  const { headline, explanation, lines } = answer(sweep);
  assert.is(headline, "The server had 1 CPU. No answer on speed: the load generator, not the server, was the limit.");
  assert.match(explanation.join(" "), /The pool spends 1\.\d\d( to 1\.\d\d)? × the reactor's server CPU per request\./);
  assert.match(
    lines[0]!,
    /^At c=10 the pool and the reactor are not ranked \(reactor: .*; pool: .*\)\. The pool spends/,
  );
});

answers("too few trials make no claim, not even for a large difference", () => {
  const { headline, lines } = answer(plausibleSweep({ rates: { reactor: 1000, pool: 5000 }, plan: { trials: 3 } }));
  assert.match(headline, / No answer: there are too few trials/);
  for (const line of lines)
    assert.match(
      line,
      /× the reactor's requests: no claim, 3 trials each cannot show any difference among 4 comparisons: it takes 6\.$/,
    );
});

answers("one core alone has no ratios", () => {
  const { headline, lines } = answer(plausibleSweep({ rates: { pool: 1000 } }));
  assert.match(headline, / One core was measured \(pool\)/);
  assert.match(lines[0]!, /^At c=10 the pool serves [\d,]+ \[[\d,]+ – [\d,]+\] requests per second\.$/);
});

answers("what speed costs is told beside it, and what limits the evidence", () => {
  const { explanation } = answer(sweepOf(100_000, 50_000));
  const text = explanation.join(" ");
  assert.match(text, /The pool spends (1\.9\d|2\.0\d)( to 2\.0\d)? × the reactor's server CPU per request/);
  assert.match(
    text,
    /10 trials per core and concurrency with 1,000 requests each, closed loop, keep-alive, on one machine with 2 CPUs/,
  );
});

answers("a generator that was nearly full is confessed", () => {
  const full = withCell(sweepOf(100_000, 90_000), "reactor", 100, ({ run }) => ({
    run: { ...run, generator: { ...run.generator, cpuShare: 0.95 } },
  }));
  assert.match(answer(full).explanation.join(" "), /At c=100 the load generator was nearly full itself/);
  assert.not.match(answer(sweepOf(100_000, 90_000)).explanation.join(" "), /nearly full/);
});

answers("the first sentence says how many CPUs the server had, and whether it shared them", () => {
  const of = (server: string | null, generator: string | null, cores: number): Answer => {
    const sweep = sweepOf(100_000, 90_000);
    const pinning = { server, generator, reason: "" };
    return answer({ ...sweep, plan: { ...sweep.plan, pinning }, environment: { ...sweep.environment, cores } });
  };
  assert.match(of("0", "1", 2).headline, /^The server had 1 CPU\. On this evidence/);
  assert.match(of("0-2", "3", 4).headline, /^The server had 3 CPUs\. On this evidence/);
  assert.match(of(null, null, 8).headline, /^The server had 8 CPUs, shared with the load generator\. /);
  assert.not.match(of("0-2", "3", 4).explanation.join(" "), /On one CPU the pool/);
  const sweep = sweepOf(100_000, 90_000);
  const targets = sweep.plan.cores.map((name) => ({ name, url: "http://127.0.0.1:1/" }));
  const theirs = answer({ ...sweep, plan: { ...sweep.plan, targets } });
  assert.match(theirs.headline, /^(No answer|On this evidence)/, "where others' servers run is not known");
});

answers("trials that end by time are not said to have a number of requests", () => {
  const sweep = plausibleSweep({ rates: { reactor: 1000, pool: 900 }, plan: { seconds: 2 } });
  const text = answer(sweep).explanation.join(" ");
  assert.match(text, /of 2\.00 s each, closed loop/);
  assert.not.match(text, /requests each/);
  assert.match(comparability(compare(sweep)), /ours what it could in 2\.00 s\./);
  assert.match(answer(sweepOf(1000, 900)).explanation.join(" "), /with 1,000 requests each, closed loop/);
});

const serverCpus: SweepPlan["serverCpus"] = [
  { cpus: 1, pinning: { server: "0", generator: "1", reason: "One." }, workers: 1 },
  { cpus: 2, pinning: { server: "0,1", generator: "0,1", reason: "Two." }, workers: 2 },
];
/** With one CPU the pool serves 0.8 × what the reactor does, with two 1.5 ×. */
const onBoth = (generatorCpus: number, plan: Partial<SweepPlan> = {}): SweepResult =>
  plausibleSweep({
    rates: { reactor: 1000, pool: 800 },
    gain: (core, cpus) => (core === "pool" && cpus === 2 ? 1.5 / 0.8 : 1),
    generatorCpus,
    plan: { concurrencies: [10, 100], serverCpus, ...plan },
  });

answers("where the CPUs vary the first lines say what holds with one and what with two", () => {
  const { headline, lines, explanation } = answer(onBoth(0.1));
  assert.match(
    headline,
    /^With 1 CPU: .* is served best by the reactor: it serves the most requests per second at every concurrency measured\. With 2 CPUs: .* is served best by the pool: it serves the most requests per second at every concurrency measured\.$/,
  );
  assert.match(lines[0]!, /^At c=10, 1 CPU the pool serves 0\.\d+ × the reactor's requests/);
  assert.match(lines[3]!, /^At c=100, 2 CPUs the pool serves 1\.\d+ × the reactor's requests .*: faster\.$/);
  assert.ok(explanation.includes("With 2 CPUs the load generator shared the server's."));
});

answers(
  "where the generator took much of CPUs that it shared, the CPU of a request ranks, and a cell says that it shared",
  () => {
    const comparison = compare(onBoth(0.5));
    const { headline, lines, explanation } = answerOf(comparison);
    assert.equal(
      comparison.levels.map(({ serverCpus: cpus, ranksByCost }) => [cpus, ranksByCost]),
      [
        [1, undefined],
        [1, undefined],
        [2, true],
        [2, true],
      ],
    );
    assert.match(
      headline,
      /With 1 CPU: .* it serves the most requests per second .* With 2 CPUs: .* it spends the least server CPU per request at every/,
    );
    assert.match(
      lines[3]!,
      /^At c=100, 2 CPUs the pool spends 0\.\d+ × the reactor's server CPU per request .*: less\.$/,
    );
    assert.match(
      explanation.join(" "),
      /took more than 10% of them, so the cores are ranked by server CPU per request there/,
    );
    const [cell] = comparison.levels[2]!.cells;
    assert.equal(
      cell!.verdict.warnings.find(({ code }) => code === "generator-on-server-cpus"),
      { code: "generator-on-server-cpus", cpus: 2, generatorCpus: 0.5 },
    );
    assert.ok(
      comparison.levels[0]!.cells.every(({ verdict }) =>
        verdict.warnings.every(({ code }) => code !== "generator-on-server-cpus"),
      ),
    );
  },
);

answers("at a rate, which is fair on shared CPUs too, the tails rank in place of the CPU", () => {
  const openLoop = { shares: null, rates: [{ concurrency: 10, requestsPerSecond: 500 }], seconds: 1 };
  const closedToo = { shares: [0.5], rates: [{ concurrency: 10, requestsPerSecond: 500 }], seconds: 1 };
  for (const loop of [openLoop, closedToo]) {
    const { headline } = answer(onBoth(0.5, { concurrencies: [10], openLoop: loop }));
    assert.match(headline, /With 2 CPUs: .* it has the shortest 99th percentile of latency at/);
  }
});

answers("where the CPUs vary no line of a chart leads from one number of them to another", () => {
  const { categories, series } = throughputPlot(compare(onBoth(0.1)));
  assert.equal(categories, ["10, 1 CPU", "100, 1 CPU", "", "10, 2 CPUs", "100, 2 CPUs"]);
  assert.equal(
    series[0]!.points.map(({ category }) => category),
    [0, 1, 3, 4],
  );
});

answers.run();
