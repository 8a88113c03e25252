import { dirname, resolve } from "node:path";
import { driverNames } from "../harness/drivers/drivers.js";
import { otherCoreOf } from "../harness/sweep/plan.js";
import type { OtherVersion, SweepPlan, SweepResult } from "../harness/sweep/result.js";
import { adapters, modes } from "../server.js";
import { usageError } from "../shared/errors.js";
import type { requestFlags } from "./requests/flags.js";
import { targetCommandsOf, targetsOf } from "./sweep-loads.js";
import { type planOptions, quick } from "./sweep-plan.js";
import { saysTraffic, trafficOf } from "./sweep-traffic.js";

/**
 * What a stored result may have a resumed sweep do. A file can come from anywhere: code that it names is run, and servers that it names are
 * asked, only when the command line names them too. Each function throws a usage error.
 */

type Values = Readonly<Record<string, unknown>>;

/** Flags whose value is a list. */
const LISTS: ReadonlySet<string> = new Set(["cores", "concurrency", "rate", "server-cpus"]);
/** Flags whose value is a path. */
const PATHS: ReadonlySet<string> = new Set(["handlers", "out", "ca"]);

/**
 * Every flag of a plan must be here, so that none is taken and ignored; targets are compared one by one, what is sent as a whole, and the code
 * of another version when it is ready.
 */
type ComparedFlag =
  | Exclude<keyof typeof planOptions, keyof typeof requestFlags | "target" | "target-command" | "request" | "against">
  | "name"
  | "out";

/** What the flags would have to be for this plan; null where the plan has nothing of the kind. */
function flagsOf(file: string, { name, plan }: SweepResult): ReadonlyMap<string, string | null> {
  const { openLoop, until, pinning, targets = [] } = plan;
  const cores = plan.cores.filter(
    (core) => targets.every((target) => target.name !== core) && otherCoreOf(plan, core) === null,
  );
  const rates = openLoop?.rates.map(({ requestsPerSecond }) => requestsPerSecond) ?? [];
  const seconds = openLoop?.seconds ?? plan.seconds;
  const values: Readonly<Record<ComparedFlag, string | number | null>> = {
    cores: cores.join() || "none",
    concurrency: plan.concurrencies.join(),
    requests: plan.requests,
    warmup: plan.warmupRequests,
    trials: plan.trials,
    path: plan.path,
    rate: openLoop === undefined ? null : openLoop.shares === null ? [...new Set(rates)].join() : "auto",
    duration: seconds ?? null,
    arrivals: openLoop === undefined ? null : (openLoop.arrivals ?? "even"),
    ramp: openLoop === undefined ? null : (openLoop.rampSeconds ?? 0),
    threads: plan.threads ?? 1,
    driver: plan.driver ?? null,
    until: until === undefined ? null : `${Number((until.halfWidth * 100).toPrecision(9))}%`,
    "max-trials": until?.maxTrials ?? null,
    "max-minutes": until === undefined ? null : until.maxSeconds / 60,
    seed: plan.seed,
    adapter: plan.adapter ?? "uws",
    workers: plan.workers,
    handlers: plan.handlers,
    "server-cpus": plan.serverCpus?.map(({ cpus }) => cpus).join() ?? null,
    "app-style": plan.appStyle ?? null,
    pin: pinning.server === null ? "none" : `${pinning.server}:${pinning.generator}`,
    name,
    ca: plan.tls?.ca ?? null,
    out: dirname(file),
  };
  return new Map(Object.entries(values).map(([flag, value]) => [flag, value === null ? null : String(value)]));
}

/** Flags that make a plan may be given again, as they were: anything else would be another sweep. */
export function checkSameFlags(file: string, result: SweepResult, argv: Values): void {
  const { plan } = result;
  const refuse = (flag: string, begun: string): never => {
    throw usageError(
      `--resume ${file}: --${flag} is not as the sweep was begun (${begun}): leave it out, or start a new sweep`,
    );
  };
  const given: Values = argv["quick"] === true ? { ...quick, ...withoutAbsent(argv), cores: argv["cores"] } : argv;
  for (const [flag, value] of flagsOf(file, result)) {
    const raw = given[flag];
    if (raw === undefined || (flag === "pin" && raw === "auto")) continue;
    // With --until the file has more of them than were asked for.
    if (flag === "trials" && plan.until !== undefined && Number(raw) <= plan.trials) continue;
    if (value === null || !isSame(flag, String(raw), value)) refuse(flag, value ?? "without it");
  }
  if (argv["keepAlive"] !== undefined && argv["keepAlive"] !== plan.keepAlive) {
    refuse("keep-alive", plan.keepAlive ? "with keep-alive" : "without keep-alive");
  }
  if (argv["against"] !== undefined && plan.against === undefined) refuse("against", "without it");
  if (argv["insecure"] === true && plan.tls?.insecure !== true) refuse("insecure", "without it");
  if (argv["aa"] === true && plan.control === undefined) refuse("aa", "without it");
  const known = new Set((plan.targets ?? []).map(targetText));
  const other = givenTargets(plan, argv).find((target) => !known.has(targetText(target)));
  if (other !== undefined) refuse(`target ${targetText(other)}`, [...known].join(", ") || "without targets");
  const commands = new Set((plan.commands ?? []).map(commandText));
  const otherCommand = targetCommandsOf(argv["target-command"], []).find(
    (command) => !commands.has(commandText(command)),
  );
  if (otherCommand !== undefined)
    refuse(`target-command ${commandText(otherCommand)}`, [...commands].join(", ") || "without");
}

/** What is sent may be said again, as it was. */
export async function checkSameTraffic(file: string, { plan }: SweepResult, argv: Values): Promise<void> {
  if (!saysTraffic(argv)) return;
  const { traffic } = await trafficOf(argv, plan.path);
  if (JSON.stringify(traffic?.requests) === JSON.stringify(plan.traffic)) return;
  throw usageError(
    `--resume ${file}: what is to be sent is not as the sweep was begun: leave out the flags that say it, or start a new sweep`,
  );
}

function givenTargets(plan: SweepPlan, argv: Values) {
  return targetsOf(argv["target"], plan.traffic === undefined ? plan.path : "/");
}

function commandText({ name, command }: { readonly name: string; readonly command: string }): string {
  return `${name}=${command}`;
}

function withoutAbsent(argv: Values): Values {
  return Object.fromEntries(Object.entries(argv).filter(([, value]) => value !== undefined));
}

function isSame(flag: string, given: string, stored: string): boolean {
  if (PATHS.has(flag)) return resolve(given) === resolve(stored);
  if (!LISTS.has(flag)) return isSameItem(given, stored);
  const [ours, theirs] = [given.split(","), stored.split(",")];
  return ours.length === theirs.length && ours.every((item, index) => isSameItem(item.trim(), theirs[index]!));
}

function isSameItem(given: string, stored: string): boolean {
  return (
    given === stored || (given.trim() !== "" && Number(given.replace(/%$/, "")) === Number(stored.replace(/%$/, "")))
  );
}

function targetText({ name, url }: { readonly name: string; readonly url: string }): string {
  return `${name}=${url}`;
}

/** What names code to run, programs to start and servers to ask, as flags. */
function consentOf({ handlers, targets = [], commands = [], driver, against }: SweepPlan) {
  return [
    ...(against === undefined ? [] : [{ flag: "against", value: against.source }]),
    ...commands.map((command) => ({ flag: "target-command", value: commandText(command) })),
    ...(handlers === null ? [] : [{ flag: "handlers", value: handlers }]),
    ...targets.map((target) => ({ flag: "target", value: targetText(target) })),
    ...(driver === undefined ? [] : [{ flag: "driver", value: driver }]),
  ];
}

/** The flags that a resumed sweep must be given again, as a user would type them. */
export function consentFlags(plan: SweepPlan): readonly string[] {
  return consentOf(plan).map(({ flag, value }) => `--${flag} ${quoted(value)}`);
}

/**
 * Whether everything the file would have run or asked is on the command line too, and is something that this loopool can run.
 * `checkSameFlags` has compared the values.
 */
export function checkConsent(file: string, { plan }: SweepResult, argv: Values): void {
  const { targets = [], commands = [], driver, pinning } = plan;
  const given = new Set([
    ...givenTargets(plan, argv).map(targetText),
    ...targetCommandsOf(argv["target-command"], []).map(commandText),
  ]);
  const missing = consentOf(plan)
    .filter(({ flag, value }) => (flag.startsWith("target") ? !given.has(value) : argv[flag] === undefined))
    .map(({ flag, value }) => `--${flag} ${quoted(value)}`);
  if (missing.length > 0) {
    throw usageError(
      `--resume ${file} would run or ask what the file names, and a file can come from anywhere: if that is meant, add ${missing.join(" ")}`,
    );
  }
  const names = new Set([...modes, ...[...targets, ...commands].map(({ name }) => name)]);
  const unknown =
    plan.cores.find((core) => !names.has(otherCoreOf(plan, core) ?? core)) ??
    [plan.adapter ?? adapters[0]].find((adapter) => !adapters.some((known) => known === adapter)) ??
    [driver ?? driverNames[0]!].find((name) => !driverNames.includes(name));
  if (unknown !== undefined) throw usageError(`--resume ${file}: there is no "${unknown}" here: start a new sweep`);
  if ((pinning.server === null) !== (pinning.generator === null)) {
    throw usageError(`--resume ${file}: it pins only one of server and generator: start a new sweep`);
  }
}

/** Whether the other version that is ready is the one that the sweep was begun with. */
export function checkSameVersion(file: string, { plan: { against } }: SweepResult, version: OtherVersion): void {
  if (against === undefined || against.sha256 === version.sha256) return;
  throw usageError(
    `--resume ${file}: its trials were made with other code of ${against.label} than ${version.source} has now: start a new sweep`,
  );
}

/** What a resumed sweep runs and asks beside loopool itself, in words; null: nothing. */
export function runsText({ handlers, targets = [], commands = [], driver, against }: SweepPlan): string | null {
  const parts = [
    ...(against === undefined ? [] : [`runs the loopool of ${against.from} ${against.source}`]),
    ...(handlers === null ? [] : [`runs the handlers in ${handlers}`]),
    ...commands.map(({ name, command }) => `starts ${name} by the command ${quoted(command)}`),
    ...targets.map(({ name, url }) => `sends requests to ${name} at ${url}`),
    ...(driver === undefined ? [] : [`starts ${driver}`]),
  ];
  return parts.length === 0 ? null : `This ${parts.join(", ")}.`;
}

/** As a shell needs it. */
export function quoted(value: string): string {
  return /^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;
}
