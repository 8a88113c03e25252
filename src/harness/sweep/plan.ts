import { type Random, seededRandom } from "../statistics/random.js";
import { coreOrders, shuffled } from "./core-orders.js";
import type { OtherVersion, SweepPlan, Target, TargetCommand, TrialResult } from "./result.js";

/** What a server is put under: so many connections, each with one request under way, or these and a rate of requests. */
export interface Load {
  readonly concurrency: number;
  /** Requests per second of an open loop; null: a closed loop. */
  readonly rate: number | null;
  /** CPUs of the server; absent where the plan does not vary them. */
  readonly serverCpus?: number;
}

export function isSameLoad(a: Load, b: Load): boolean {
  return a.concurrency === b.concurrency && a.rate === b.rate && a.serverCpus === b.serverCpus;
}

/** A plan as it is under one load: pinned for its number of CPUs, with the workers that suit them. */
export function planUnder(plan: SweepPlan, { serverCpus }: Pick<Load, "serverCpus">): SweepPlan {
  const found = serverCpus === undefined ? undefined : plan.serverCpus?.find(({ cpus }) => cpus === serverCpus);
  return found === undefined ? plan : { ...plan, pinning: found.pinning, workers: found.workers };
}

/** Trials of a whole plan: at one a second more than a day. All of them are laid out in memory. */
export const MAX_PLANNED_TRIALS = 100_000;

/** Names of what is compared: the same in schemas/loopool-sweep-3.schema.json. They become keys of objects in a chart's library. */
export function isTargetName(name: string): boolean {
  return /^[A-Za-z0-9][\w.:@ -]{0,99}$/.test(name) && !(name in Object.prototype);
}

/** One trial to run. */
export interface PlannedTrial extends Load {
  readonly core: string;
  /** From 0. */
  readonly block: number;
}

/** What is measured under each load: the cores, and with A/A one of them again. */
export function targetsOf({ cores, control }: SweepPlan): readonly string[] {
  return control === undefined ? cores : [...cores, control.name];
}

/** The core that a planned trial runs. */
export function coreOf({ control }: SweepPlan, target: string): string {
  return target === control?.name ? control.of : target;
}

/** A core of the other version, as a plan names it. */
export function otherName(core: string, { label }: OtherVersion): string {
  return `${core}@${label}`;
}

/** The core of the other version that a name stands for; null for anything else. */
export function otherCoreOf({ against }: SweepPlan, name: string): string | null {
  const end = against === undefined ? null : `@${against.label}`;
  return end !== null && name.endsWith(end) ? name.slice(0, -end.length) : null;
}

/** What the ratios of one of a plan's cores are to: the same core of the other version, without one the first of all. null where it is itself that. */
export function baseOf(plan: SweepPlan, core: string): string | null {
  const { cores, against } = plan;
  const base = against === undefined ? cores[0]! : otherCoreOf(plan, core) === null ? otherName(core, against) : core;
  return base === core ? null : base;
}

/** The plan with each of its cores measured beside the same core of another version, which comes before it. */
export function withOtherVersion(plan: SweepPlan, against: OtherVersion): SweepPlan {
  const cores = plan.cores.flatMap((core) => [otherName(core, against), core]);
  const [first = ""] = cores;
  return {
    ...plan,
    cores,
    against,
    ...(plan.control === undefined ? {} : { control: { name: `${first} again`, of: first } }),
  };
}

/** The server that is not ours behind a name; undefined for a core. */
export function externalTargetOf(plan: SweepPlan, target: string): Target | undefined {
  return plan.targets?.find(({ name }) => name === coreOf(plan, target));
}

/** The command that starts the server behind a name; undefined for a core and for a server that runs already. */
export function commandOf(plan: SweepPlan, target: string): TargetCommand | undefined {
  return plan.commands?.find(({ name }) => name === coreOf(plan, target));
}

/** Whether the server behind a name is a core of ours. */
export function isOurs(plan: SweepPlan, target: string): boolean {
  return externalTargetOf(plan, target) === undefined && commandOf(plan, target) === undefined;
}

/** What is sent, as a reader knows it: "GET /x", or "a mix of 3 kinds of request". */
export function requestText({ path, traffic }: Pick<SweepPlan, "path" | "traffic">): string {
  const kinds = traffic?.requests ?? [];
  if (kinds.length > 1) return `a mix of ${kinds.length} kinds of request`;
  const [only] = kinds;
  return only === undefined ? `GET ${path}` : `${only.method} ${only.path}`;
}

/** Names of the kinds of request that are sent. */
export function kindNames({ path, traffic }: Pick<SweepPlan, "path" | "traffic">): readonly string[] {
  return traffic?.requests.map(({ name }) => name) ?? [`GET ${path}`];
}

/** The closed loops of a plan, in the order they were asked for. */
function closedLoads({ concurrencies, openLoop, serverCpus }: SweepPlan): readonly Load[] {
  return openLoop !== undefined && openLoop.shares === null && openLoop.saturation !== true
    ? []
    : onEachCpus(
        serverCpus,
        concurrencies.map((concurrency) => ({ concurrency, rate: null })),
      );
}

function openLoads({ openLoop, serverCpus }: SweepPlan): readonly Load[] {
  const loads = openLoop?.rates.map(({ concurrency, requestsPerSecond: rate }) => ({ concurrency, rate })) ?? [];
  return onEachCpus(serverCpus, loads);
}

/** Loads with every number of CPUs that a plan gives its server. */
function onEachCpus(serverCpus: SweepPlan["serverCpus"], loads: readonly Load[]): readonly Load[] {
  if (serverCpus === undefined) return loads;
  return serverCpus.flatMap(({ cpus }) => loads.map((load) => ({ ...load, serverCpus: cpus })));
}

/** All loads of a plan: ascending by CPUs, then by concurrency, at each the closed loop before the rates, which ascend. */
export function loadsOf(plan: SweepPlan): readonly Load[] {
  return [...closedLoads(plan), ...openLoads(plan)].sort(
    (a, b) =>
      (a.serverCpus ?? 0) - (b.serverCpus ?? 0) || a.concurrency - b.concurrency || (a.rate ?? 0) - (b.rate ?? 0),
  );
}

/**
 * All trials in the order they run: blocks that hold every cell once, so that what drifts over the sweep hits all alike. Closed loops come
 * before open ones, whose rates may depend on them.
 * In a block the loads stand in random order, and for each the cores run directly after one another, so that a pair is
 * minutes younger than the drift. Which core comes first is random, too (core-orders.ts). The seed decides everything; a plan
 * with more trials begins with the same ones.
 */
export function planTrials(plan: SweepPlan): readonly PlannedTrial[] {
  const random = seededRandom(plan.seed);
  return [closedLoads(plan), openLoads(plan)].flatMap((loads) => blocksOf(plan, loads, random));
}

function blocksOf(plan: SweepPlan, loads: readonly Load[], random: Random): readonly PlannedTrial[] {
  const cores = targetsOf(plan);
  const orders = new Map(loads.map((load) => [load, coreOrders(cores, random)]));
  const planned: PlannedTrial[] = [];
  for (let block = 0; block < plan.trials; block++) {
    for (const load of shuffled(loads, random)) {
      for (const core of orders.get(load)!()) planned.push({ core, ...load, block });
    }
  }
  return planned;
}

/** Trials of the whole plan, with the blocks and the rates that may still be added to it. */
function mostTrials(plan: SweepPlan): number {
  const { concurrencies, openLoop, until, serverCpus } = plan;
  const shares = (openLoop?.shares?.length ?? 0) * concurrencies.length * (serverCpus?.length ?? 1);
  const rates = openLoop?.shares != null ? shares : openLoads(plan).length;
  const loads = closedLoads(plan).length + Math.max(rates, openLoads(plan).length);
  return Math.max(plan.trials, until?.maxTrials ?? 0) * loads * targetsOf(plan).length;
}

/** What keeps a plan from being run or reported, in words; null where nothing does. What a schema cannot say. */
export function misfitOfPlan(plan: SweepPlan): string | null {
  const most = mostTrials(plan);
  if (most > MAX_PLANNED_TRIALS) {
    return `${most.toLocaleString("en")} trials are planned, ${MAX_PLANNED_TRIALS.toLocaleString("en")} are the most: use fewer trials, concurrencies or rates`;
  }
  const targets = targetsOf(plan);
  const twice = targets.find((name, index) => targets.indexOf(name) !== index);
  if (twice !== undefined) return `two things are named "${twice}"`;
  const unknown = [
    ...[...(plan.targets ?? []), ...(plan.commands ?? [])].map(({ name }) => name),
    ...(plan.control === undefined ? [] : [plan.control.of]),
  ];
  const lost = unknown.find((name) => !plan.cores.includes(name));
  return lost === undefined ? null : `"${lost}" is none of its cores`;
}

/** The trials of a plan that have no result yet, in order. */
export function missingTrials(plan: SweepPlan, finished: readonly TrialResult[]): readonly PlannedTrial[] {
  const key = ({ core, concurrency, rate, block, serverCpus }: PlannedTrial): string =>
    `${block}/${concurrency}/${rate}/${serverCpus}/${core}`;
  const done = new Set(finished.map(key));
  return planTrials(plan).filter((trial) => !done.has(key(trial)));
}

/** How long the warm-up before a window by time is: half as long, in whole seconds where the window has one. */
export function warmUpSeconds(seconds: number): number {
  return Math.min(seconds, Math.ceil(seconds / 2));
}
