import { isIP } from "node:net";
import type { LoadOptions } from "../harness/load/request/options.js";
import { usageError } from "../shared/errors.js";
import { arrivalFlags, arrivalsOf, rateOf } from "./arrival-flags.js";
import { loadTargetOf, targetFlags } from "./load-target.js";
import { mostConnections } from "./open-files.js";
import { requestFlags, requestsOf } from "./requests/flags.js";
import { number, text, wholeNumber } from "./values/options.js";

const DEFAULT_REQUESTS = 10_000;
const DEFAULT_CONCURRENCY = 100;
const DEFAULT_TIMEOUT_S = 30;
const MAX_THREADS = 64;
const MAX_SECONDS = 86_400;
const DEFAULT_SEED = 1;
/** Of an open loop that makes connections as it needs them. */
const MAX_GROWN_CONNECTIONS = 10_000;

/** Flags of `load` that take a value. */
export const loadFlags = {
  requests: { alias: "n", describe: `requests to send [default: ${DEFAULT_REQUESTS}; with --duration: no limit]` },
  duration: { alias: "t", describe: "seconds after which no request starts any more" },
  rate: {
    alias: "R",
    describe:
      "requests per second, sent whatever the server does (open loop); auto: a closed loop, then 50, 70 and 90% of what it served",
  },
  concurrency: {
    alias: "c",
    describe:
      `connections, each with one request under way [default: ${DEFAULT_CONCURRENCY}, or --requests if fewer; ` +
      "with --rate: as many as the requests need]",
  },
  threads: {
    describe: "threads that send the requests, each over its part of the connections [default: 1]",
  },
  timeout: {
    alias: "s",
    describe: `seconds allowed for a request, its connect included [default: ${DEFAULT_TIMEOUT_S}]`,
  },
  ...arrivalFlags,
  seed: { describe: `decides random arrivals and the order of kinds of request [default: ${DEFAULT_SEED}]` },
  ...requestFlags,
  ...targetFlags,
  warmup: { describe: 'requests to send before, and not to count, or seconds like "2s" [default: 0]' },
  sha256: { describe: "as --verify, and what the hash must be, in hexadecimal" },
  "local-address": { describe: "address of this machine to connect from" },
} as const;

/** `--rate auto`. */
export const AUTO = "auto";

type Values = Readonly<Record<string, unknown>>;

/** What the flags ask for, and what of a file was left out, a sentence each. */
export interface AskedLoad {
  readonly options: LoadOptions;
  readonly notes: readonly string[];
}

/** What the flags ask for. Throws a usage error that names the flag and what is allowed. */
export async function loadOptionsOf(argv: Values): Promise<AskedLoad> {
  const durationMs = argv["duration"] === undefined ? null : seconds("duration", argv["duration"]) * 1000;
  const schedule = scheduleOf(argv);
  const unlimited =
    argv["requests"] === undefined && (durationMs !== null || schedule.arrivals instanceof Float64Array);
  const requests = unlimited
    ? Number.POSITIVE_INFINITY
    : wholeNumber("requests", argv["requests"] ?? DEFAULT_REQUESTS, 1, 1e9);
  const growing = schedule.rate !== null && argv["concurrency"] === undefined;
  const defaultConcurrency = Math.min(growing ? grownConnections(argv["threads"]) : DEFAULT_CONCURRENCY, requests);
  const target = loadTargetOf(argv);
  const { headers, kinds, fields, varied, notes } = await requestsOf(argv, target);
  const bodySha256 = argv["sha256"] !== undefined ? sha256(argv["sha256"]) : argv["verify"] === true ? "" : null;
  const options: LoadOptions = {
    target,
    requests,
    durationMs,
    ...schedule,
    seed: wholeNumber("seed", argv["seed"] ?? DEFAULT_SEED, 0, 2 ** 32 - 1),
    concurrency: wholeNumber("concurrency", argv["concurrency"] ?? defaultConcurrency, 1, 1e5),
    growing,
    keepAlive: argv["keepAlive"] === true,
    timeoutMs: seconds("timeout", argv["timeout"] ?? DEFAULT_TIMEOUT_S) * 1000,
    headers,
    kinds,
    fields,
    variableLength: variableLengthOf(argv, varied, bodySha256),
    byFirstByte: argv["byFirstByte"] === true,
    bodySha256,
    localAddress: argv["localAddress"] === undefined ? null : localAddress(argv["localAddress"]),
  };
  if (options.concurrency > options.requests) {
    throw usageError(
      `--concurrency ${options.concurrency} is more than --requests ${options.requests}: send at least one each`,
    );
  }
  if (durationMs !== null && (options.rampMs ?? 0) > durationMs) {
    throw usageError(
      `--ramp ${argv["ramp"]} is longer than --duration ${durationMs / 1000}: the rate would not be reached`,
    );
  }
  return { options, notes };
}

/** When requests are to be sent. */
function scheduleOf(argv: Values): { rate: number | null } & Pick<LoadOptions, "arrivals" | "rampMs"> {
  const isGiven = argv["rate"] !== undefined;
  if (!isGiven && argv["ramp"] !== undefined) throw usageError("--ramp is of an open loop: give --rate too");
  const arrivals = arrivalsOf(argv["arrivals"]);
  if (arrivals instanceof Float64Array) {
    const alone = ["rate", "ramp"].find((flag) => argv[flag] !== undefined);
    if (alone !== undefined)
      throw usageError(`--arrivals ${argv["arrivals"]} says when requests are sent: leave out --${alone}`);
    return { rate: rateOf(arrivals), arrivals };
  }
  if (!isGiven && argv["arrivals"] !== undefined)
    throw usageError(`--arrivals ${arrivals} is of an open loop: give --rate too`);
  const rate = !isGiven || argv["rate"] === AUTO ? null : number("rate", argv["rate"], 0.001, 1e6);
  const rampMs = argv["ramp"] === undefined ? 0 : number("ramp", argv["ramp"], 0, MAX_SECONDS) * 1000;
  return { rate, arrivals, rampMs };
}

/** Bodies may differ where that was asked for, and where the requests do; not where bodies are compared. */
function variableLengthOf(argv: Values, varied: boolean, bodySha256: string | null): boolean {
  const asked = argv["variableLength"];
  if (asked === true && bodySha256 !== null) {
    throw usageError("--variable-length lets bodies differ, and --verify compares them: leave one out");
  }
  return asked === undefined ? varied && bodySha256 === null : asked === true;
}

function grownConnections(threads: unknown): number {
  return Math.min(MAX_GROWN_CONNECTIONS, mostConnections(wholeNumber("threads", threads ?? 1, 1, MAX_THREADS)));
}

/** How many threads are to send the requests: each needs a connection. */
export function threadsOf({ concurrency, requests }: LoadOptions, raw: unknown): number {
  const threads = wholeNumber("threads", raw ?? 1, 1, MAX_THREADS);
  if (threads <= concurrency) return threads;
  const bound = concurrency === requests ? `--requests ${requests}` : `--concurrency ${concurrency}`;
  throw usageError(`--threads ${threads} is more than ${bound}: every thread needs a connection and a request`);
}

/** The same run for the warm-up that --warmup asks for, by requests or by time; null where it asks for none. */
export function warmUpOf(options: LoadOptions, raw: unknown): LoadOptions | null {
  const inSeconds = /^(.*\d)s$/.exec(String(raw ?? ""))?.[1];
  if (inSeconds !== undefined) {
    const durationMs = seconds("warmup", inSeconds) * 1000;
    return { ...options, requests: Number.POSITIVE_INFINITY, durationMs };
  }
  const requests = wholeNumber("warmup", raw ?? 0, 0, 1e9);
  if (requests === 0) return null;
  return { ...options, requests, durationMs: null, concurrency: Math.min(options.concurrency, requests) };
}

function seconds(flag: string, raw: unknown): number {
  return number(flag, raw, 0.001, MAX_SECONDS);
}

function sha256(raw: unknown): string {
  const hash = text("sha256", raw).toLowerCase();
  if (/^[0-9a-f]{64}$/.test(hash)) return hash;
  throw usageError(`--sha256 must be 64 hexadecimal digits, as "curl -s URL | sha256sum" prints them, not "${hash}"`);
}

function localAddress(raw: unknown): string {
  const address = text("local-address", raw);
  if (isIP(address) !== 0) return address;
  throw usageError(`--local-address must be an IP address of this machine, not "${address}"`);
}
