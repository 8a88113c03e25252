import { type Random, seededRandom } from "../statistics/random.js";
import { shuffled } from "../sweep/core-orders.js";
import type { PlannedTrial } from "../sweep/plan.js";
import { MAX_PLANNED_TRIALS } from "../sweep/plan.js";
import type { ServerCpus, SweepPlan } from "../sweep/result.js";
import type { BreakEvenPlan, BreakEvenTrial, CostPoint, HandlerKind, Pass } from "./result.js";

/** One trial to run. */
export interface PlannedPoint extends PlannedTrial, CostPoint {
  readonly rate: number | null;
  readonly serverCpus: number;
  readonly pass: number;
}

/** What a request costs one CPU beside the handler, µs, about: only how long a trial is depends on it. */
const REQUEST_MICROS = 25;
/** Share of a window that the warm-up before it lasts, and its fewest requests. */
const WARM_UP_SHARE = 0.5;
const LEAST_WARM_UP = 10;
/** Answers of a waiting handler come in step, so a window has several rounds of all connections. */
const ROUNDS_OF_WAITING = 4;

/** The axis of costs: straight up to about this cost, logarithmic above, so that 0 has its place. */
const AXIS_MICROS = 10;

/** Where a cost lies on the axis on which ratios are interpolated. */
export function positionOf(costMicros: number): number {
  return Math.log1p(costMicros / AXIS_MICROS);
}

export function costAt(position: number): number {
  return AXIS_MICROS * Math.expm1(position);
}

/** A cost with two significant digits: it is a choice, not a finding. */
export function roundCost(costMicros: number): number {
  return Number(costMicros.toPrecision(2));
}

/** CPU of a request on average, µs. */
function meanCost({ slowShare }: HandlerKind, costMicros: number): number {
  return costMicros * (slowShare ?? 1);
}

/** Whether so many CPUs can burn as much as a rate asks for: above that no core keeps up, and latencies only tell for how long one looked. */
export function canServe({ handler, rate }: BreakEvenPlan, cpus: number, costMicros: number): boolean {
  return rate === null || (rate * meanCost(handler, costMicros)) / 1e6 < cpus;
}

/** Every point of the first pass: of open loops those that the CPUs can serve. */
export function coarsePass(plan: Omit<BreakEvenPlan, "passes">): Pass {
  const rates = plan.rate === null ? [null] : [null, plan.rate];
  const points = plan.serverCpus.flatMap(({ cpus }) =>
    plan.concurrencies.flatMap((concurrency) =>
      rates.flatMap((rate) =>
        plan.costsMicros
          .filter((costMicros) => rate === null || canServe({ ...plan, passes: [] }, cpus, costMicros))
          .map((costMicros): CostPoint => ({ serverCpus: cpus, concurrency, rate, costMicros })),
      ),
    ),
  );
  return { kind: "coarse", blocks: plan.coarseBlocks, points };
}

/**
 * All trials in the order they run: passes one after the other, each in blocks that hold every core at every point once, so that what drifts
 * hits all alike. In a block the points stand in random order, and at each the cores run directly after one another, in every second block in
 * the reverse order. The seed decides everything.
 */
export function planPoints({ cores, seed, passes }: BreakEvenPlan): readonly PlannedPoint[] {
  const random = seededRandom(seed);
  return passes.flatMap((pass, index) => pointsOf(pass, index, cores, random));
}

function pointsOf(
  { blocks, points }: Pass,
  pass: number,
  cores: readonly string[],
  random: Random,
): readonly PlannedPoint[] {
  const lastOrder = new Map<CostPoint, readonly string[]>();
  const planned: PlannedPoint[] = [];
  for (let block = 0; block < blocks; block++) {
    for (const point of shuffled(points, random)) {
      const before = lastOrder.get(point);
      const order = block % 2 === 1 && before !== undefined ? [...before].reverse() : shuffled(cores, random);
      lastOrder.set(point, order);
      for (const core of order) planned.push({ core, ...point, block, pass });
    }
  }
  return planned;
}

/** What keeps a plan from being run or reported, in words; null where nothing does. */
export function misfitOfPoints({
  cores,
  passes,
  refinedBlocks,
  refinedCosts,
  costsMicros,
  serverCpus,
  concurrencies,
}: BreakEvenPlan): string | null {
  const planned = passes.reduce((sum, { blocks, points }) => sum + blocks * points.length * cores.length, 0);
  const perLoad = Math.max(refinedCosts, costsMicros.length) * (cores.length - 1);
  const later = refinedBlocks * perLoad * serverCpus.length * concurrencies.length * 2 * cores.length;
  const most = planned + (passes.length > 1 ? 0 : later);
  if (most > MAX_PLANNED_TRIALS) {
    return `${most.toLocaleString("en")} trials may be needed, ${MAX_PLANNED_TRIALS.toLocaleString("en")} are the most: use fewer costs, blocks or concurrencies`;
  }
  const known = new Set(serverCpus.map(({ cpus }) => cpus));
  const lost = passes.flatMap(({ points }) => points).find((point) => !known.has(point.serverCpus));
  return lost === undefined ? null : `passes names ${lost.serverCpus} CPUs, serverCpus does not`;
}

/** The trials of a plan that have no result yet, in order. */
export function missingPoints(plan: BreakEvenPlan, finished: readonly BreakEvenTrial[]): readonly PlannedPoint[] {
  const key = (trial: PlannedPoint): string =>
    [trial.pass, trial.block, trial.serverCpus, trial.concurrency, trial.rate, trial.costMicros, trial.core].join("/");
  const done = new Set(finished.map(key));
  return planPoints(plan).filter((trial) => !done.has(key(trial)));
}

export function cpusOf({ serverCpus }: BreakEvenPlan, count: number): ServerCpus {
  return serverCpus.find(({ cpus }) => cpus === count)!;
}

/** What is asked of the server at one cost. */
export function pathOf({ waitMs, slowShare }: HandlerKind, costMicros: number | string): string {
  if (slowShare !== null) return `/mixed?slow=${slowShare}&us=${costMicros}`;
  return `/cpu?us=${costMicros}${waitMs === 0 ? "" : `&ms=${waitMs}`}`;
}

/** Requests that one CPU serves in a second, about. */
function speedOf(plan: BreakEvenPlan, { costMicros, concurrency }: CostPoint): number {
  const micros = REQUEST_MICROS + meanCost(plan.handler, costMicros);
  return Math.min(1e6 / micros, (1e6 * concurrency) / (micros + plan.handler.waitMs * 1000));
}

/** One point as a sweep of its own, so that its trials are run and judged as those of a sweep are. */
export function sweepPlanOf(plan: BreakEvenPlan, point: CostPoint, blocks: number): SweepPlan {
  const { pinning, workers } = cpusOf(plan, point.serverCpus);
  const { concurrency, rate } = point;
  const perWindow = speedOf(plan, point) * plan.windowSeconds;
  // Where the connections wait longer for a CPU than the handler does for anything else, answers come one after another.
  const inStep = plan.handler.waitMs * 1000 > concurrency * meanCost(plan.handler, point.costMicros);
  const rounds = inStep ? ROUNDS_OF_WAITING : 1;
  return {
    cores: plan.cores,
    concurrencies: [concurrency],
    requests: Math.max(concurrency * rounds, Math.round(perWindow)),
    warmupRequests: Math.max(LEAST_WARM_UP, Math.round(perWindow * WARM_UP_SHARE)),
    trials: blocks,
    path: pathOf(plan.handler, point.costMicros),
    keepAlive: true,
    adapter: plan.adapter,
    seed: plan.seed,
    workers,
    handlers: null,
    pinning,
    ...(rate === null
      ? {}
      : { openLoop: { shares: null, rates: [{ concurrency, requestsPerSecond: rate }], seconds: plan.rateSeconds } }),
  };
}

/** About how long the trials of a pass take, seconds; `startSeconds` is what a server and a generator take to start and to end. */
export function estimatedSeconds(plan: BreakEvenPlan, pass: Pass, startSeconds: number): number {
  const each = pass.points.map((point) => {
    const { requests, warmupRequests } = sweepPlanOf(plan, point, pass.blocks);
    const seconds = (requests + warmupRequests) / speedOf(plan, point);
    return startSeconds + (point.rate === null ? seconds : plan.rateSeconds + seconds / 4);
  });
  return pass.blocks * plan.cores.length * each.reduce((sum, seconds) => sum + seconds, 0);
}
