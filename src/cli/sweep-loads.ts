import { checkDriverOptions } from "../harness/drivers/check.js";
import { driverNamed, driverNames } from "../harness/drivers/drivers.js";
import { isUnixUrl } from "../harness/load/request/options.js";
import { restoreRequests, type StoredRequests } from "../harness/load/request/stored.js";
import { isTargetName } from "../harness/sweep/plan.js";
import type { OpenLoopPlan, SweepPlan, Target, TargetCommand } from "../harness/sweep/result.js";
import { modes } from "../server.js";
import { usageError } from "../shared/errors.js";
import { listOf, number, oneOf, wholeNumber } from "./values/options.js";

/** What a sweep measures and with which load, from its flags. Each function throws a usage error that names the flag. */

type Values = Readonly<Record<string, unknown>>;

/** Of a trial that ends by time. */
export const DEFAULT_SECONDS = 2;
/** `--rate auto`, of the capacity found: usual, busy, and near the knee of the latency curve. */
const AUTO_SHARES = [0.5, 0.7, 0.9];

/** The cores among what is compared: "none" beside targets. */
export function coresOf(raw: unknown, targets: readonly { readonly name: string }[]): readonly string[] {
  if (raw === "none") {
    if (targets.length > 0) return [];
    throw usageError("--cores none leaves nothing to measure: name servers with --target name=URL");
  }
  return listOf("cores", raw, (flag, word) => oneOf(flag, word, modes));
}

/** `--target name=URL`, as often as one likes. */
export function targetsOf(raw: unknown, path: string): readonly Target[] {
  const targets = [raw ?? []].flat().map((value) => {
    const [, name = "", url = ""] = /^([^=]*)=(.*)$/s.exec(String(value)) ?? [];
    if (name === "" || !(isUnixUrl(url) || URL.canParse(url))) {
      throw usageError(`--target must be name=URL, like nginx=http://127.0.0.1:8080, not "${String(value)}"`);
    }
    if (!isTargetName(name)) {
      throw usageError(
        `--target ${name}=…: a name has up to 100 letters, digits, "_", "-", ".", ":" and spaces, begins with a letter or digit, ` +
          "and is none that every JavaScript object has, like constructor",
      );
    }
    if (modes.includes(name)) throw usageError(`--target ${name}=… has the name of a core: choose another`);
    if (isUnixUrl(url)) return { name, url: /^unix:[^:]+$/.test(url) ? `${url}:${path}` : url };
    const parsed = new URL(url);
    if (!/^https?:$/.test(parsed.protocol)) {
      throw usageError(`--target ${name}: http://, https:// and unix: can be measured, not ${url}`);
    }
    return { name, url: parsed.pathname === "/" && parsed.search === "" ? `${parsed.origin}${path}` : parsed.href };
  });
  const names = targets.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw usageError(`--target names "${twice}" twice: give each server a name of its own`);
  return targets;
}

/** `--target-command name=COMMAND`, as often as one likes. */
export function targetCommandsOf(raw: unknown, targets: readonly Target[]): readonly TargetCommand[] {
  const commands = [raw ?? []].flat().map((value) => {
    const [, name = "", command = ""] = /^([^=]*)=(.*)$/s.exec(String(value)) ?? [];
    if (name === "" || command.trim() === "") {
      throw usageError(`--target-command must be name=COMMAND, like now='node app.js', not "${String(value)}"`);
    }
    if (!isTargetName(name)) {
      throw usageError(
        `--target-command ${name}=…: a name has up to 100 letters, digits, "_", "-", ".", ":" and spaces, begins with a letter or digit, ` +
          "and is none that every JavaScript object has, like constructor",
      );
    }
    if (modes.includes(name)) throw usageError(`--target-command ${name}=… has the name of a core: choose another`);
    return { name, command };
  });
  const names = [...targets, ...commands].map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw usageError(`--target-command names "${twice}", which another has too: give each server a name of its own`);
  return commands;
}

/**
 * `--rate`, `--duration`, `--arrivals` and `--ramp`; null without a rate. `saturation`: the closed loops are asked for all the same, as of an
 * application of the user's own, of which both is to be known.
 */
export function openLoopOf(argv: Values, concurrencies: readonly number[], saturation = false): OpenLoopPlan | null {
  if (argv["rate"] === undefined) {
    const alone = ["arrivals", "ramp"].find((flag) => argv[flag] !== undefined);
    if (alone !== undefined) throw usageError(`--${alone} is of an open loop: give --rate too`);
    return null;
  }
  const length = number("duration", argv["duration"] ?? DEFAULT_SECONDS, 0.1, 3600);
  const rampSeconds = number("ramp", argv["ramp"] ?? 0, 0, 3600);
  if (rampSeconds > length)
    throw usageError(`--ramp ${rampSeconds} is longer than a trial of ${length} s: the rate would not be reached`);
  const seconds = {
    seconds: length,
    arrivals: oneOf("arrivals", argv["arrivals"] ?? "poisson", ["even", "poisson"]),
    ...(rampSeconds > 0 ? { rampSeconds } : {}),
  } as const;
  if (argv["rate"] === "auto") return { shares: AUTO_SHARES, rates: [], ...seconds };
  const given = listOf("rate", argv["rate"], (flag, raw) => number(flag, raw, 0.1, 1e6));
  const rates = concurrencies.flatMap((concurrency) =>
    given.map((requestsPerSecond) => ({ concurrency, requestsPerSecond })),
  );
  return { shares: null, rates, ...seconds, ...(saturation ? { saturation } : {}) };
}

/** `--duration`, `--threads` and `--driver` of closed loops, as far as they were given. */
export function generatorOf(
  argv: Values,
  {
    concurrencies,
    requests,
    traffic,
    variableLength,
  }: Pick<SweepPlan, "concurrencies" | "requests"> & {
    readonly traffic: StoredRequests | null;
    readonly variableLength: boolean;
  },
): Pick<SweepPlan, "seconds" | "threads" | "driver"> {
  const threads = wholeNumber("threads", argv["threads"] ?? 1, 1, 256);
  const fewest = Math.min(...concurrencies);
  if (threads > fewest) {
    throw usageError(`--threads ${threads} is more than --concurrency ${fewest}: every thread needs a connection`);
  }
  const byTime = argv["duration"] !== undefined && argv["rate"] === undefined;
  if (byTime && argv["requests"] !== undefined) {
    throw usageError("a trial ends after --requests or after --duration: leave one out");
  }
  const seconds = byTime ? number("duration", argv["duration"], 0.1, 3600) : null;
  const common = threads === 1 ? {} : { threads };
  if (argv["driver"] === undefined) return { ...common, ...(seconds === null ? {} : { seconds }) };

  const driver = driverNamed(oneOf("driver", argv["driver"], driverNames));
  if (argv["rate"] !== undefined) {
    throw usageError(
      `--driver ${driver.name} cannot send at fixed times and count latency from these: leave out --rate`,
    );
  }
  const counts = driver.capabilities.ends.includes("requests");
  if (!counts && argv["requests"] !== undefined) {
    throw usageError(`--driver ${driver.name} cannot stop after a number of requests: give --duration`);
  }
  const window = seconds ?? (counts ? null : DEFAULT_SECONDS);
  const asked = {
    target: { url: "", host: "", port: 0, path: "", authority: "" },
    requests: window === null ? requests : Number.POSITIVE_INFINITY,
    durationMs: window === null ? null : window * 1000,
    concurrency: fewest,
    keepAlive: argv["keepAlive"] !== false,
    timeoutMs: 30_000,
    headers: [],
    byFirstByte: false,
    threads,
    variableLength,
    ...(traffic === null ? {} : restoreRequests(traffic)),
  };
  checkDriverOptions(driver, asked, null);
  return { ...common, ...(window === null ? {} : { seconds: window }), driver: driver.name };
}
