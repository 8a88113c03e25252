import { accessSync } from "node:fs";
import { resolve } from "node:path";
import { driverNames } from "../harness/drivers/drivers.js";
import {
  type PinningFacts,
  pinningFacts,
  pinningOf,
  resolvePinning,
  type Workload,
  workersFor,
} from "../harness/sweep/pinning.js";
import { misfitOfPlan } from "../harness/sweep/plan.js";
import type { Pinning, ServerCpus, SweepPlan, Target, Until } from "../harness/sweep/result.js";
import { adapters, modes } from "../server.js";
import type { AppStyle } from "../shared/config.js";
import { appStyles } from "../shared/default-config.js";
import { usageError } from "../shared/errors.js";
import { cpuList, usableCpus } from "../shared/process-limits.js";
import { authoritiesOf } from "./load-target.js";
import { requestFlags } from "./requests/flags.js";
import { coresOf, DEFAULT_SECONDS, generatorOf, openLoopOf, targetCommandsOf, targetsOf } from "./sweep-loads.js";
import type { Traffic } from "./sweep-traffic.js";
import { listOf, oneOf, text, wholeNumber } from "./values/options.js";

/**
 * What a sweep does unless told otherwise: seed 001's concurrencies and requests. An even number of trials, so that each core comes
 * first as often as the other; 16 find a difference of 5% at each concurrency in four of five sweeps, by the noise of the committed one
 * (`npm run bench -- power`).
 */
const usual = { cores: "reactor,pool", concurrency: "10,100,250,450", requests: 100_000, warmup: 20_000, trials: 16 };
/** `--quick`: seconds instead of minutes, for seeing that it works. With fewer than 7 trials two comparisons could show nothing. */
export const quick = { ...usual, concurrency: "10,100", requests: 10_000, warmup: 5_000, trials: 8 };
/** Limits of `--until`. */
const DEFAULT_MAX_TRIALS = 40;
const DEFAULT_MAX_MINUTES = 15;
const DEFAULT_SEED = 1;

/** Flags that make the plan: a sweep that is resumed has one already, and takes them only as they were. Beside them `--keep-alive`, `--quick` and `--aa`. */
export const planOptions = {
  cores: { describe: `cores to compare, the first is the base: ${modes.join(", ")} [default: ${usual.cores}]` },
  concurrency: { describe: `connections, each with one request under way [default: ${usual.concurrency}]` },
  requests: { describe: `requests of a trial [default: ${usual.requests}]` },
  warmup: { describe: `requests before each trial, not counted [default: ${usual.warmup}, no more than --requests]` },
  trials: { describe: `trials of each core at each concurrency [default: ${usual.trials}]` },
  path: {
    describe:
      "path and query to request [default: /, the 1 KiB page; with --handlers: the only one that the module has]",
  },
  ...requestFlags,
  request: { describe: "method and path to request, like 'POST /render': short for --method and --path" },
  "target-command": {
    describe:
      "also measure a server that a command starts anew for each trial, name='node app.js'; it gets a free PORT, or listens on its own; may be repeated",
  },
  target: {
    describe:
      "also measure a server that is not ours and runs already, name=URL; a URL without a path gets --path; may be repeated",
  },
  against: {
    describe:
      "measure each core beside the same core of another version of loopool: a commit of this checkout, a folder in which it is built, or a file of npm pack",
  },
  ca: { describe: "file with the authorities, PEM, to trust with a --target over https://" },
  rate: {
    describe:
      "open loop: requests per second, like 1000,5000, with --handlers beside the closed loops; auto: 50, 70 and 90% of what the slowest core serves in a closed loop",
  },
  arrivals: { describe: "with --rate: poisson, at random as from many users, or even [default: poisson]" },
  ramp: { describe: "with --rate: seconds in which it rises from 0 [default: 0]" },
  duration: {
    describe: `seconds of a trial, instead of --requests [default with --rate: ${DEFAULT_SECONDS}; with --handlers: what suits them]`,
  },
  threads: { describe: "threads of the load generator [default: 1]" },
  driver: { describe: `another load generator, where it is installed: ${driverNames.join(", ")}` },
  until: {
    describe: "add blocks until each ratio of requests/s is known this well, like 3% for ±3%; --trials is the least",
  },
  "max-trials": { describe: `with --until: trials at most [default: ${DEFAULT_MAX_TRIALS}]` },
  "max-minutes": { describe: `with --until: time at most [default: ${DEFAULT_MAX_MINUTES}]` },
  seed: { describe: `decides the order of the trials [default: ${DEFAULT_SEED}]` },
  adapter: {
    alias: "front",
    describe: `what speaks HTTP before the cores, the same for all: ${adapters.join(", ")} [default: ${adapters[0]}]`,
  },
  workers: { describe: "worker threads of the pool [default: what the server's CPUs leave beside its main thread]" },
  handlers: { describe: "your own application, a module, see docs/applications.md" },
  "app-style": { describe: `what it is to be taken for: ${appStyles.join(", ")} [default: what it looks like]` },
  pin: { describe: "CPUs: auto, none, or SERVER:GENERATOR like 0:1 [default: auto]" },
  "server-cpus": { describe: "numbers of CPUs that the server is given, by affinity, like 1,2: each with every load" },
} as const;

/**
 * The plan that the flags ask for; `traffic` is what they ask to send, null: a GET of the path. Throws a usage error that names the flag and
 * what is allowed.
 */
export function planOf(argv: Readonly<Record<string, unknown>>, traffic: Traffic | null = null): SweepPlan {
  const base = argv["quick"] === true ? quick : usual;
  const path = text("path", argv["path"] ?? "/");
  if (!/^\/[!"$-~]*$/.test(path)) {
    throw usageError(`--path must start with "/" and have no spaces and no "#", not "${path}"`);
  }
  const handlers = argv["handlers"] === undefined ? null : handlersFile(text("handlers", argv["handlers"]));
  const facts = pinningFacts();
  const workload = { path, handlers: handlers ?? commandText(argv) };
  const serverCpus = serverCpusOf(argv, workload, facts);
  const pinning = serverCpus?.[0]?.pinning ?? resolvePinning(text("pin", argv["pin"] ?? "auto"), workload, facts);
  const requests = wholeNumber("requests", argv["requests"] ?? base.requests, 1, 1e9);
  const concurrencies = listOf("concurrency", argv["concurrency"] ?? base.concurrency, (flag, raw) =>
    wholeNumber(flag, raw, 1, 100_000),
  );
  const most = Math.max(...concurrencies);
  if (most > requests) {
    throw usageError(`--concurrency ${most} is more than --requests ${requests}: send at least one each`);
  }
  const targets = targetsOf(argv["target"], traffic === null ? path : "/");
  if (argv["against"] !== undefined && targets.length > 0) {
    throw usageError("--against compares two versions of loopool: leave out --target");
  }
  const commands = targetCommandsOf(argv["target-command"], targets);
  const others = [...targets, ...commands];
  const cores = [...coresOf(argv["cores"] ?? base.cores, others), ...others.map(({ name }) => name)];
  const isOwn = handlers !== null || commands.length > 0;
  // Another generator has its own way with them.
  const mayVary = traffic?.varied === true || (isOwn && argv["driver"] === undefined);
  const variableLength = argv["variableLength"] === undefined ? mayVary : argv["variableLength"] === true;
  const openLoop = openLoopOf(argv, concurrencies, isOwn);
  const generator = generatorOf(argv, { concurrencies, requests, traffic: traffic?.requests ?? null, variableLength });
  const isLong = openLoop?.saturation === true && argv["duration"] !== undefined;
  const trials = wholeNumber("trials", argv["trials"] ?? base.trials, 1, 1000);
  const until = untilOf(argv, cores, trials);
  const plan: SweepPlan = {
    cores,
    concurrencies,
    requests,
    warmupRequests: wholeNumber("warmup", argv["warmup"] ?? Math.min(base.warmup, requests), 0, 1e9),
    trials,
    path,
    ...(traffic === null ? {} : { traffic: traffic.requests }),
    ...(variableLength ? { variableLength } : {}),
    keepAlive: argv["keepAlive"] !== false,
    adapter: oneOf("adapter", argv["adapter"] ?? adapters[0], adapters),
    seed: wholeNumber("seed", argv["seed"] ?? DEFAULT_SEED, 0, 2 ** 32 - 1),
    workers:
      serverCpus?.[0]?.workers ?? wholeNumber("workers", argv["workers"] ?? defaultWorkers(pinning, facts), 1, 256),
    handlers,
    ...(argv["app-style"] === undefined ? {} : { appStyle: appStyleOf(argv["app-style"]) }),
    pinning,
    ...(targets.length > 0 ? { targets } : {}),
    ...tlsOf(argv, targets),
    ...(commands.length > 0 ? { commands } : {}),
    ...(openLoop === null ? {} : { openLoop }),
    ...generator,
    ...(isLong ? { seconds: openLoop.seconds } : {}),
    ...(argv["aa"] === true ? { control: { name: `${cores[0]} again`, of: cores[0]! } } : {}),
    ...(until === null ? {} : { until }),
    ...(serverCpus === null ? {} : { serverCpus }),
  };
  const unreachable = targets.find(({ url }) => !url.startsWith("http:"));
  if (plan.driver !== undefined && unreachable !== undefined) {
    throw usageError(
      `--driver ${plan.driver} is used with http:// only, not ${unreachable.url}: use loopool's own generator`,
    );
  }
  const misfit = misfitOfPlan(plan);
  if (misfit !== null) throw usageError(`--trials, --concurrency and --rate ask for too much: ${misfit}`);
  return plan;
}

/** Whether the flags leave open how long a trial is, and its handler is one of which nothing is known. */
export function leavesLengthOpen(
  { handlers, commands, seconds, openLoop }: SweepPlan,
  argv: Readonly<Record<string, unknown>>,
): boolean {
  const isOwn = handlers !== null || commands !== undefined;
  const given = ["requests", "warmup"].some((flag) => argv[flag] !== undefined);
  if (openLoop !== undefined) return isOwn && openLoop.saturation === true && seconds === undefined && !given;
  return isOwn && seconds === undefined && !given && argv["duration"] === undefined;
}

/** `--insecure` and `--ca`, of targets over https. */
function tlsOf(argv: Readonly<Record<string, unknown>>, targets: readonly Target[]): Pick<SweepPlan, "tls"> {
  const insecure = argv["insecure"] === true;
  const ca = argv["ca"] === undefined ? null : resolve(text("ca", argv["ca"]));
  if (!insecure && ca === null) return {};
  if (!targets.some(({ url }) => url.startsWith("https:"))) {
    throw usageError(
      `--${insecure ? "insecure" : "ca"} is for a --target over https://, and there is none: leave it out`,
    );
  }
  if (ca !== null) authoritiesOf(ca);
  return { tls: { insecure, ca } };
}

/** Of what a command starts nothing is known either. */
function commandText(argv: Readonly<Record<string, unknown>>): string | null {
  return argv["target-command"] === undefined ? null : String(argv["target-command"]);
}

/** `--until` and its limits; null without it. */
function untilOf(argv: Readonly<Record<string, unknown>>, cores: readonly string[], trials: number): Until | null {
  if (argv["until"] === undefined) {
    const limit = ["max-trials", "max-minutes"].find((flag) => argv[flag] !== undefined);
    if (limit !== undefined) throw usageError(`--${limit} is a limit of --until: give --until too, like --until 3%`);
    return null;
  }
  if (argv["rate"] !== undefined) {
    throw usageError(
      "--until narrows the ratio of requests per second, which --rate makes the same for all: leave one out",
    );
  }
  const given = text("until", argv["until"]);
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(given)?.[1];
  if (percent === undefined || Number(percent) < 0.1 || Number(percent) > 50) {
    throw usageError(`--until must be a percentage from 0.1% to 50%, like 3%, not "${given}"`);
  }
  if (cores.length < 2 && argv["against"] === undefined)
    throw usageError("--until narrows the ratio of two cores: name two with --cores");
  const maxTrials = wholeNumber("max-trials", argv["max-trials"] ?? Math.max(DEFAULT_MAX_TRIALS, trials), 1, 1000);
  if (maxTrials < trials) throw usageError(`--max-trials ${maxTrials} is less than --trials ${trials}: raise it`);
  const maxMinutes = wholeNumber("max-minutes", argv["max-minutes"] ?? DEFAULT_MAX_MINUTES, 1, 1440);
  return { halfWidth: Number(percent) / 100, maxTrials, maxSeconds: maxMinutes * 60 };
}

export function appStyleOf(raw: unknown): AppStyle {
  return oneOf("app-style", raw, appStyles);
}

/** Absolute path of the module. Throws a usage error where it is not there. */
export function handlersFile(value: string): string {
  const file = resolve(value);
  try {
    accessSync(file);
  } catch {
    throw usageError(`--handlers ${value} is not there: name a module like ./my-handlers.js`);
  }
  return file;
}

/** `--server-cpus`; null without it. Throws a usage error where another flag leaves no sense to it. */
function serverCpusOf(
  argv: Readonly<Record<string, unknown>>,
  workload: Workload,
  facts: PinningFacts,
): readonly ServerCpus[] | null {
  if (argv["server-cpus"] === undefined) return null;
  if (argv["pin"] !== undefined) throw usageError("--server-cpus says where the server runs: leave out --pin");
  if (argv["target"] !== undefined) {
    throw usageError("--server-cpus starts each server on its CPUs, and a --target runs already: leave one out");
  }
  if (argv["rate"] === "auto") {
    throw usageError(
      "--rate auto is of the capacity on one number of CPUs: with --server-cpus give rates, like --rate 1000",
    );
  }
  const counts = listOf("server-cpus", argv["server-cpus"], (flag, raw) => wholeNumber(flag, raw, 1, 4096));
  const workers = argv["workers"] === undefined ? null : wholeNumber("workers", argv["workers"], 1, 256);
  return [...counts]
    .sort((a, b) => a - b)
    .map((cpus) => ({
      cpus,
      pinning: pinningOf(cpus, facts),
      workers: workers ?? Math.min(256, workersFor(cpus, workload)),
    }));
}

/** Pinned, the main thread keeps one of the server's CPUs; unpinned, a burning handler may use them all. */
function defaultWorkers({ server }: Pinning, { cpus, quota = null }: PinningFacts): number {
  const usable = usableCpus({ cpus, quota });
  return Math.max(1, server === null ? usable : Math.min(usable, cpuList(server).size) - 1);
}
