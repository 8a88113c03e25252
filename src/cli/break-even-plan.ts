import { coarsePass, misfitOfPoints } from "../harness/break-even/plan.js";
import type { BreakEvenPlan } from "../harness/break-even/result.js";
import { type PinningFacts, pinningOf, resolvePinning, workersFor } from "../harness/sweep/pinning.js";
import type { ServerCpus } from "../harness/sweep/result.js";
import { adapters, modes } from "../server.js";
import { usageError } from "../shared/errors.js";
import { usableCpus } from "../shared/process-limits.js";
import { DEFAULT_SECONDS } from "./sweep-loads.js";
import { listOf, number, oneOf, wholeNumber } from "./values/options.js";

/**
 * What is measured unless told otherwise: about five minutes for two numbers of CPUs. Six blocks are the fewest that have intervals; costs lie
 * so far apart that each step is one of a handler's kind: none, a template, a query's worth of JSON, a page, an image.
 */
const usual = {
  cores: "reactor,pool",
  costs: "0,30,300,2500,20000",
  concurrency: "100",
  blocks: 6,
  refinedBlocks: 10,
  window: 0.4,
};
/** Costs between two of the coarse pass. */
const REFINED_COSTS = 4;
const MAX_COST_MICROS = 10_000_000;
const MAX_CPUS = 4096;

/** Flags that make the plan. */
export const breakEvenOptions = {
  cores: { describe: `cores to compare, the first is the base: ${modes.join(", ")} [default: ${usual.cores}]` },
  costs: { describe: `µs of CPU that a request burns, of the first pass [default: ${usual.costs}]` },
  concurrency: { describe: `connections, each with one request under way [default: ${usual.concurrency}]` },
  "server-cpus": { describe: "CPUs of the server, pinned by affinity [default: 1,2 as far as there are]" },
  rate: { describe: "also an open loop of so many requests per second, for the 99th percentile" },
  duration: { describe: `with --rate: seconds of its trials [default: ${DEFAULT_SECONDS}]` },
  sleep: { describe: "ms that the handler waits before it burns, as for a database [default: 0]" },
  "slow-share": {
    describe: "share of the requests that burn, like 0.05; the others answer at once [default: all burn]",
  },
  blocks: { describe: `trials of each core at each cost in the first pass [default: ${usual.blocks}]` },
  "refined-blocks": { describe: `the same around a crossing; 0: no second pass [default: ${usual.refinedBlocks}]` },
  window: { describe: `seconds of a closed loop's trial, about [default: ${usual.window}]` },
  workers: { describe: "worker threads of the pool [default: as many as the server has CPUs]" },
  adapter: { describe: `what speaks HTTP before the cores: ${adapters.join(", ")} [default: ${adapters[0]}]` },
  seed: { describe: "decides the order of the trials [default: 1]" },
} as const;

/** The plan that the flags ask for. Throws a usage error that names the flag and what is allowed. */
export function breakEvenPlanOf(argv: Readonly<Record<string, unknown>>, facts: PinningFacts): BreakEvenPlan {
  const cores = listOf("cores", argv["cores"] ?? usual.cores, (flag, word) => oneOf(flag, word, modes));
  if (cores.length < 2) throw usageError("--cores must name two cores or more: the first is the base");
  const costs = listOf("costs", argv["costs"] ?? usual.costs, (flag, raw) => number(flag, raw, 0, MAX_COST_MICROS));
  if (costs.length < 2) throw usageError("--costs must name two costs or more: a crossing lies between two");
  const slowShare = argv["slow-share"] === undefined ? null : number("slow-share", argv["slow-share"], 0.0001, 1);
  const waitMs = number("sleep", argv["sleep"] ?? 0, 0, 60_000);
  if (slowShare !== null && waitMs > 0)
    throw usageError("a handler waits (--sleep) or is a mixture (--slow-share): leave one out");
  if (argv["duration"] !== undefined && argv["rate"] === undefined) {
    throw usageError("--duration is that of the trials with --rate: give --rate too, or use --window");
  }
  const plan: Omit<BreakEvenPlan, "passes"> = {
    cores,
    handler: { waitMs, slowShare },
    costsMicros: [...costs].sort((a, b) => a - b),
    concurrencies: listOf("concurrency", argv["concurrency"] ?? usual.concurrency, (flag, raw) =>
      wholeNumber(flag, raw, 1, 100_000),
    ),
    rate: argv["rate"] === undefined ? null : number("rate", argv["rate"], 0.1, 1e6),
    rateSeconds: number("duration", argv["duration"] ?? DEFAULT_SECONDS, 0.1, 3600),
    serverCpus: serverCpusOf(argv, facts),
    coarseBlocks: wholeNumber("blocks", argv["blocks"] ?? usual.blocks, 1, 1000),
    refinedBlocks: wholeNumber("refined-blocks", argv["refined-blocks"] ?? usual.refinedBlocks, 0, 1000),
    refinedCosts: REFINED_COSTS,
    windowSeconds: number("window", argv["window"] ?? usual.window, 0.01, 600),
    adapter: oneOf("adapter", argv["adapter"] ?? adapters[0], adapters),
    seed: wholeNumber("seed", argv["seed"] ?? 1, 0, 2 ** 32 - 1),
  };
  const whole = { ...plan, passes: [coarsePass(plan)] };
  const misfit = misfitOfPoints(whole);
  if (misfit !== null) throw usageError(`--costs, --blocks and --concurrency ask for too much: ${misfit}`);
  return whole;
}

function serverCpusOf(argv: Readonly<Record<string, unknown>>, facts: PinningFacts): readonly ServerCpus[] {
  const usable = usableCpus({ cpus: facts.cpus, quota: facts.quota ?? null });
  const given = argv["workers"] === undefined ? null : wholeNumber("workers", argv["workers"], 1, 256);
  const workersOf = (cpus: number): number =>
    given ?? Math.min(256, workersFor(cpus, { path: "/cpu", handlers: null }));
  if (argv["server-cpus"] === undefined && !facts.hasTaskset) {
    const cpus = usable;
    return [
      { cpus, pinning: resolvePinning("auto", { path: "/cpu", handlers: null }, facts), workers: workersOf(cpus) },
    ];
  }
  const asked =
    argv["server-cpus"] === undefined
      ? [1, 2].filter((cpus) => cpus <= usable)
      : listOf("server-cpus", argv["server-cpus"], (flag, raw) => wholeNumber(flag, raw, 1, MAX_CPUS));
  return asked.map((cpus) => ({ cpus, pinning: pinningOf(cpus, facts), workers: workersOf(cpus) }));
}
