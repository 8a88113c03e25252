import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type RunResult, unsentClasses } from "../../../src/harness/load/result/run-result.js";
import type { Pinning, ServerAccounting, TrialResult } from "../../../src/harness/sweep/result.js";
import type { Reason } from "../../../src/harness/validity/diagnostics.js";
import { verdictOf } from "../../../src/harness/validity/verdict.js";
import { plausibleSweep } from "../report/fixture.js";

const pinned: Pinning = { server: "0", generator: "1", reason: "" };
const unpinned: Pinning = { server: null, generator: null, reason: "" };
const cell = plausibleSweep({ rates: { reactor: 50_000 }, plan: { concurrencies: [100], trials: 7 } }).trials;
const apart = plausibleSweep({
  rates: { reactor: 5000 },
  plan: { concurrencies: [100], trials: 7, keepAlive: false },
}).trials;

const judge = (trials: readonly TrialResult[], pinning = pinned) =>
  verdictOf(trials, { plannedTrials: 7, pinning, environment: { cores: 2 }, ours: true });
const codes = (trials: readonly TrialResult[], pinning = pinned): readonly string[] =>
  judge(trials, pinning).reasons.map(({ code }) => code);

interface Change {
  readonly run?: (run: RunResult) => Partial<RunResult>;
  readonly server?: (server: ServerAccounting, run: RunResult) => Partial<ServerAccounting>;
}

function changed(trial: TrialResult, { run, server }: Change): TrialResult {
  // What the fixture makes are runs of our own generator.
  const own = trial.run as RunResult;
  return {
    ...trial,
    run: { ...own, ...run?.(own) },
    server: { ...trial.server!, ...server?.(trial.server!, own) },
  };
}

/** The cell with its fourth trial changed: one trial is enough. */
const once = (change: Change): readonly TrialResult[] =>
  cell.map((trial, index) => (index === 3 ? changed(trial, change) : trial));
const always = (change: Change): readonly TrialResult[] => cell.map((trial) => changed(trial, change));

const books = suite("verdict: the accounting");

books("a cell that adds up is valid, with keep-alive and without", () => {
  assert.equal(judge(cell), { valid: true, lowerBound: false, reasons: [], warnings: [] });
  assert.equal(judge(apart), { valid: true, lowerBound: false, reasons: [], warnings: [] });
});

books("one failed request makes the cell invalid, and the classes are named", () => {
  const verdict = judge(
    once({ run: (run) => ({ completed: run.completed - 1, errors: { ...run.errors, reset: 1 } }) }),
  );
  assert.not.ok(verdict.valid);
  assert.equal(verdict.reasons[0], { code: "errors", sent: 7000, failed: 1, byClass: { reset: 1 } });
});

books("requests that are neither completed nor failed are found", () => {
  const [reason, ...more] = judge(
    once({ run: (run) => ({ completed: run.completed - 2, keepAliveResponses: run.completed }) }),
  ).reasons;
  assert.equal(reason, { code: "generator-count", trials: 1, sent: 1000, completed: 998, failed: 0 });
  assert.equal(
    more.map(({ code }) => code),
    ["latency-count"],
  );
});

books("a server that counts one request more or less than the generator is found", () => {
  for (const difference of [-1, 1]) {
    const { reasons } = judge(once({ server: ({ requests }) => ({ requests: requests + difference }) }));
    assert.equal(reasons, [{ code: "server-count", trials: 1, server: 1000 + difference, generator: 1000 }]);
  }
});

books("requests that found no connection are not expected at the server", () => {
  const reached = 1000 - 2 * unsentClasses.length;
  const trials = once({
    run: (run) => {
      const unsent = Object.fromEntries(unsentClasses.map((name) => [name, 2]));
      return { completed: reached, errors: { ...run.errors, ...unsent } };
    },
    server: () => ({ requests: reached }),
  });
  assert.not.ok(codes(trials).includes("server-count"));
  assert.ok(codes(trials).includes("errors"));
});

books("a run that stopped early, too few connections and lost keep-alive are found", () => {
  const stop = (run: RunResult): Partial<RunResult> => ({ requested: run.sent + 500 });
  assert.equal(codes(once({ run: stop })), ["stopped-early"]);
  assert.equal(codes(once({ run: () => ({ peakConnections: 99 }) })), ["connections"]);
  assert.equal(codes(once({ run: () => ({ keepAliveResponses: 0 }) })), ["keep-alive-lost"]);
});

books("the worst trial gives the numbers, and the others are counted", () => {
  const trials = cell.map((trial, index) => changed(trial, { run: () => ({ peakConnections: 100 - index }) }));
  assert.equal(judge(trials).reasons, [{ code: "connections", trials: 6, asked: 100, peak: 94 }]);
});

books("missing and failed trials make a cell invalid", () => {
  assert.equal(judge(cell.slice(1)).reasons, [{ code: "trials-missing", planned: 7, finished: 6 }]);
  const failed = cell.map((trial, index) =>
    index === 2 ? { ...trial, run: null, server: null, failure: "the server did not start" } : trial,
  );
  assert.equal(judge(failed).reasons, [{ code: "trial-failed", trials: 1, failure: "the server did not start" }]);
  assert.equal(codes([]), ["trials-missing"]);
});

books.run();

const little = suite("verdict: Little's law");

/** The latencies of a run, scaled: as a tool would tell them that starts its clock late. */
const scaled =
  (factor: number) =>
  ({ latency }: RunResult): Partial<RunResult> => ({
    latency: {
      ...latency,
      total: { ...latency.total, sum: latency.total.sum * factor, max: latency.total.max * factor },
    },
  });

little("latencies that account for half of the connections break it, and a small turn-around does not", () => {
  assert.equal(codes(once({ run: scaled(0.5) })), ["littles-law"]);
  assert.equal(codes(once({ run: scaled(0.95) })), []);
});

little("latencies that need more connections than there are break it", () => {
  assert.equal(codes(once({ run: scaled(1.1) })), ["littles-law"]);
});

little("connections idle at the end, while the slowest answer is awaited, are allowed for", () => {
  const stalled = ({ latency, elapsedSeconds }: RunResult): Partial<RunResult> => ({
    elapsedSeconds: elapsedSeconds * 2,
    latency: { ...latency, total: { ...latency.total, max: elapsedSeconds * 1e9 } },
  });
  assert.equal(codes(once({ run: stalled })), []);
  assert.equal(codes(once({ run: ({ elapsedSeconds }) => ({ elapsedSeconds: elapsedSeconds * 2 }) })), ["littles-law"]);
});

/** A run with a window of its own: all its latencies lie in it, and its last answer came `lateShare` of it later. */
const windowed =
  (lateShare: number) =>
  ({ completed, elapsedSeconds, latency }: RunResult): Partial<RunResult> => ({
    window: { seconds: elapsedSeconds, completed: completed - 1, latencyAfterSeconds: lateShare * elapsedSeconds },
    elapsedSeconds: elapsedSeconds * (1 + lateShare),
    latency: {
      ...latency,
      total: {
        ...latency.total,
        sum: latency.total.sum + lateShare * elapsedSeconds * 1e9,
        max: (0.01 + lateShare) * elapsedSeconds * 1e9,
      },
    },
  });

little("a straggler after the window neither breaks it nor hides that it is broken", () => {
  assert.equal(codes(once({ run: windowed(3) })), []);
  const idle = (run: RunResult): Partial<RunResult> => windowed(3)({ ...run, ...scaled(0.7)(run) });
  assert.equal(codes(once({ run: idle })), ["littles-law"]);
});

little("a closed loop by time of which much ended after the window has a rate that may be off by as much", () => {
  const late =
    (share: number) =>
    ({ completed, elapsedSeconds }: RunResult): Partial<RunResult> => ({
      requestedSeconds: elapsedSeconds,
      window: { seconds: elapsedSeconds, completed: completed * (1 - share), latencyAfterSeconds: 0 },
    });
  assert.equal(judge(once({ run: late(0.05) })).warnings, []);
  const [warning] = judge(once({ run: late(0.2) })).warnings;
  assert.is(warning?.code, "window-short");
  assert.ok(judge(once({ run: late(0.2) })).valid);
  assert.equal(codes(once({ run: late(0.6) })), ["window-too-short"]);
});

little.run();

const limit = suite("verdict: who was the limit");

const generatorAt = (cpuShare: number) => ({
  run: (run: RunResult) => ({ generator: { ...run.generator, cpuShare } }),
});
/** CPU time of the server as a multiple of the window; its main loop busy for `loop` of it. */
const serverAt = (cpus: number, loop: number) => ({
  server: (server: ServerAccounting, { elapsedSeconds }: RunResult) => ({
    cpuUserMicros: cpus * elapsedSeconds * 1e6,
    cpuSystemMicros: 0,
    eventLoopUtilization: (loop * elapsedSeconds * 1e6) / server.elapsedMicros,
  }),
});

limit("a full generator before a server that is not makes the cell invalid", () => {
  const { reasons, valid } = judge(always({ ...generatorAt(0.97), ...serverAt(0.7, 0.7) }));
  assert.not.ok(valid);
  const [reason] = reasons as readonly Extract<Reason, { code: "generator-limited" }>[];
  assert.is(reason?.code, "generator-limited");
  assert.is(reason?.generatorShare, 0.97);
  assert.ok(Math.abs((reason?.serverShare ?? 0) - 0.7) < 1e-9);
});

limit("a generator is full by its event loop too: it may wait for what its CPU time does not show", () => {
  const { reasons } = judge(
    always({
      run: ({ generator }) => ({ generator: { ...generator, eventLoopUtilization: 0.98 } }),
      ...serverAt(0.3, 0.3),
    }),
  );
  assert.equal(
    reasons.map(({ code }) => code),
    ["generator-limited"],
  );
});

limit("a cell is a lower bound when the generator was the only thing wrong with it", () => {
  const limited = always({ ...generatorAt(0.97), ...serverAt(0.7, 0.7) });
  assert.ok(judge(limited).lowerBound);
  assert.not.ok(judge(limited.slice(1)).lowerBound);
  assert.not.ok(judge(cell).lowerBound);
});

limit("a starved generator is no limit where server and generator fill the CPUs they share", () => {
  const trials = always({
    run: ({ generator }) => ({ generator: { ...generator, cpuShare: 0.6, eventLoopUtilization: 0.99 } }),
    ...serverAt(1.35, 0.5),
  });
  const { valid, warnings } = judge(trials, unpinned);
  assert.ok(valid);
  assert.equal(
    warnings.map(({ code }) => code),
    ["shared-cpus"],
  );
  assert.equal(codes(trials, { server: "0", generator: "1", reason: "" }), []);
  assert.equal(codes(always({ ...generatorAt(0.95), ...serverAt(0.5, 0.5) }), unpinned), ["generator-limited"]);
});

limit("when both are full the cell stays valid and warns", () => {
  const { valid, warnings } = judge(always({ ...generatorAt(0.97), ...serverAt(0.98, 0.95) }));
  assert.ok(valid);
  assert.equal(
    warnings.map(({ code }) => code),
    ["generator-near-limit"],
  );
});

limit("a server is full by its CPUs or by its main loop alone", () => {
  assert.equal(codes(always({ ...generatorAt(0.97), ...serverAt(0.96, 0.2) })), []);
  assert.equal(codes(always({ ...generatorAt(0.97), ...serverAt(0.5, 0.96) })), []);
  const twoCpus: Pinning = { server: "0,2", generator: "1", reason: "" };
  assert.equal(codes(always({ ...generatorAt(0.97), ...serverAt(0.96, 0.2) }), twoCpus), ["generator-limited"]);
});

limit("a generator above its headroom warns, below it is silent", () => {
  assert.equal(judge(always({ ...generatorAt(0.85), ...serverAt(0.7, 0.7) })).warnings.length, 1);
  assert.equal(judge(always({ ...generatorAt(0.75), ...serverAt(0.7, 0.7) })).warnings, []);
});

limit("one busy trial of seven is no limit: the median decides", () => {
  assert.equal(codes(once({ ...generatorAt(0.97), ...serverAt(0.7, 0.7) })), []);
});

limit("CPUs that both share and fill are warned of, CPUs apart are not", () => {
  const trials = always({ ...generatorAt(0.5), ...serverAt(1.45, 0.6) });
  const { valid, warnings } = judge(trials, unpinned);
  assert.ok(valid);
  assert.equal(
    warnings.map(({ code }) => code),
    ["shared-cpus"],
  );
  assert.equal(judge(trials, { server: "0-1", generator: "2", reason: "" }).warnings, []);
});

limit.run();

const steady = suite("verdict: disturbed trials");

/** The fourth trial slowed down: its window, its busy times and its latencies last `factor` times as long. */
const slowed = (factor: number): readonly TrialResult[] =>
  once({
    run: ({ elapsedSeconds, latency }) => ({
      elapsedSeconds: elapsedSeconds * factor,
      latency: {
        ...latency,
        total: { ...latency.total, sum: latency.total.sum * factor, max: latency.total.max * factor },
      },
    }),
  });

steady("a trial at a quarter of the speed of the others is told of and kept", () => {
  const { valid, warnings } = judge(slowed(4));
  assert.ok(valid);
  const [warning] = warnings;
  assert.is(warning?.code, "disturbed");
  if (warning?.code === "disturbed") {
    assert.is(warning.trials, 1);
    assert.ok(warning.requestsPerSecond < 0.6 * warning.median);
  }
});

steady("usual noise is not, nor is a small deviation among trials that agree closely", () => {
  const alike = cell.map((trial) =>
    changed(trial, { run: () => ({ elapsedSeconds: 0.02, latency: (cell[0]!.run as RunResult).latency }) }),
  );
  const speeds = alike.map((trial, index) =>
    changed(trial, {
      run: ({ elapsedSeconds }) => ({
        elapsedSeconds: elapsedSeconds * (1 + 0.001 * index + (index === 3 ? 0.04 : 0)),
      }),
    }),
  );
  assert.equal(judge(cell).warnings, []);
  assert.equal(judge(speeds).warnings, []);
});

steady.run();
