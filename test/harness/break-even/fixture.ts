import { coarsePass, sweepPlanOf } from "../../../src/harness/break-even/plan.js";
import { refinedPass } from "../../../src/harness/break-even/refine.js";
import type { BreakEvenPlan, BreakEvenResult, BreakEvenTrial } from "../../../src/harness/break-even/result.js";
import { plausibleSweep } from "../report/fixture.js";

/** Requests per second of a core on so many CPUs, with a handler of so many µs. */
export type Speeds = (core: string, serverCpus: number, costMicros: number) => number;

/** A reactor that spends 12 µs beside the handler and uses one CPU, a pool that spends 30 and uses all but a tenth of one. */
export const twoCores: Speeds = (core, serverCpus, costMicros) =>
  core === "reactor" ? 1e6 / (12 + costMicros) : (1e6 * (serverCpus === 1 ? 1 : serverCpus - 0.1)) / (30 + costMicros);

/** Small trials: what is measured in them is made up. */
export function smallPlan(changes: Partial<BreakEvenPlan> = {}): BreakEvenPlan {
  const plan = {
    cores: ["reactor", "pool"],
    handler: { waitMs: 0, slowShare: null },
    costsMicros: [0, 30, 300, 3000],
    concurrencies: [10],
    rate: null,
    rateSeconds: 1,
    serverCpus: [
      { cpus: 1, pinning: { server: "0", generator: "3", reason: "One CPU." }, workers: 1 },
      { cpus: 2, pinning: { server: "0,1", generator: "3", reason: "Two CPUs." }, workers: 2 },
    ],
    coarseBlocks: 6,
    refinedBlocks: 8,
    refinedCosts: 4,
    windowSeconds: 0.001,
    adapter: "uws",
    seed: 1,
    ...changes,
  };
  return { ...plan, passes: changes.passes ?? [coarsePass(plan)] };
}

/** A finished result of both passes with these speeds. */
export function plausibleResult(speeds: Speeds = twoCores, changes: Partial<BreakEvenPlan> = {}): BreakEvenResult {
  const coarse = withTrials(smallPlan(changes), speeds);
  const refined = refinedPass(coarse);
  return refined === null ? coarse : withTrials({ ...coarse.plan, passes: [...coarse.plan.passes, refined] }, speeds);
}

function withTrials(plan: BreakEvenPlan, speeds: Speeds): BreakEvenResult {
  let seed = 1;
  const trials = plan.passes.flatMap(({ points, blocks }, pass) =>
    points.flatMap((point): readonly BreakEvenTrial[] => {
      const sweep = plausibleSweep({
        rates: Object.fromEntries(plan.cores.map((core) => [core, speeds(core, point.serverCpus, point.costMicros)])),
        plan: sweepPlanOf(plan, point, blocks),
        seed: seed++,
      });
      return sweep.trials.map((trial) => ({ ...trial, ...point, pass }));
    }),
  );
  const { environment } = plausibleSweep({
    rates: { reactor: 1000 },
    plan: { concurrencies: [1], trials: 1, requests: 1 },
  });
  return {
    schema: "loopool-break-even/1",
    name: "break-even",
    command: "npm run break-even -- --seed 1",
    startedAt: "2026-01-02T03:00:00.000Z",
    finishedAt: "2026-01-02T03:05:00.000Z",
    plan,
    environment: { ...environment, cores: 4 },
    trials,
  };
}
