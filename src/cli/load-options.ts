import { isIP } from "node:net";
import { type LoadOptions, type Target, targetOf } from "../harness/load/request/options.js";
import { usageError } from "../shared/errors.js";
import { number, text, wholeNumber } from "./values/options.js";

const DEFAULT_REQUESTS = 10_000;
const DEFAULT_CONCURRENCY = 100;
const DEFAULT_TIMEOUT_S = 30;
const MAX_THREADS = 64;
const MAX_SECONDS = 86_400;

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
    describe: `connections, each with one request under way [default: ${DEFAULT_CONCURRENCY}, or --requests if fewer]`,
  },
  threads: {
    describe: "threads that send the requests, each over its part of the connections [default: 1]",
  },
  timeout: {
    alias: "s",
    describe: `seconds allowed for a request, its connect included [default: ${DEFAULT_TIMEOUT_S}]`,
  },
  warmup: { describe: 'requests to send before, and not to count, or seconds like "2s" [default: 0]' },
  header: { alias: "H", describe: 'one more header field, "Name: value"; may be repeated' },
  sha256: { describe: "as --verify, and what the hash must be, in hexadecimal" },
  "local-address": { describe: "address of this machine to connect from" },
} as const;

/** `--rate auto`. */
export const AUTO = "auto";

type Values = Readonly<Record<string, unknown>>;

/** What the flags ask for. Throws a usage error that names the flag and what is allowed. */
export function loadOptionsOf(argv: Values): LoadOptions {
  const durationMs = argv["duration"] === undefined ? null : seconds("duration", argv["duration"]) * 1000;
  const unlimited = durationMs !== null && argv["requests"] === undefined;
  const requests = unlimited
    ? Number.POSITIVE_INFINITY
    : wholeNumber("requests", argv["requests"] ?? DEFAULT_REQUESTS, 1, 1e9);
  const defaultConcurrency = Math.min(DEFAULT_CONCURRENCY, requests);
  const options: LoadOptions = {
    target: target(argv["url"]),
    requests,
    durationMs,
    rate: argv["rate"] === undefined || argv["rate"] === AUTO ? null : number("rate", argv["rate"], 0.001, 1e6),
    concurrency: wholeNumber("concurrency", argv["concurrency"] ?? defaultConcurrency, 1, 1e5),
    keepAlive: argv["keepAlive"] === true,
    timeoutMs: seconds("timeout", argv["timeout"] ?? DEFAULT_TIMEOUT_S) * 1000,
    headers: [argv["header"] ?? []].flat().map((raw) => headerField(String(raw))),
    byFirstByte: argv["byFirstByte"] === true,
    bodySha256: argv["sha256"] !== undefined ? sha256(argv["sha256"]) : argv["verify"] === true ? "" : null,
    localAddress: argv["localAddress"] === undefined ? null : localAddress(argv["localAddress"]),
  };
  if (options.concurrency > options.requests) {
    throw usageError(
      `--concurrency ${options.concurrency} is more than --requests ${options.requests}: send at least one each`,
    );
  }
  return options;
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

/** Throws a usage error for what the generator cannot speak to. */
function target(url: unknown): Target {
  if (typeof url !== "string") throw usageError("name the URL to load, like http://localhost:9090/");
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw usageError(`"${url}" is not a URL: give one like http://localhost:9090/`);
  }
  if (parsed.protocol !== "http:") {
    const remedy = parsed.protocol === "https:" ? ": start the server without TLS, on a port of this machine" : "";
    throw usageError(`"${url}": only http:// can be measured, not ${parsed.protocol}//${remedy}`);
  }
  if (parsed.username !== "" || parsed.password !== "") {
    throw usageError(`"${url}" has credentials in it: send them with --header "Authorization: …"`);
  }
  return targetOf(parsed);
}

function headerField(raw: string): readonly [string, string] {
  const match = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t -~\u0080-\u00ff]*)$/.exec(raw);
  if (match === null) throw usageError(`--header "${raw.replace(/[\r\n]/g, "⏎")}" is not "Name: value" on one line`);
  const [, name, value] = match as unknown as readonly [string, string, string];
  if (/^(host|connection|content-length|transfer-encoding)$/i.test(name)) {
    throw usageError(`--header ${name} is written by the generator: leave it out`);
  }
  return [name, value];
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
