import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Argv, CommandModule } from "yargs";
import type { LoadOptions, Target } from "../load/options.js";
import { run } from "../load/run.js";
import type { RunResult } from "../load/run-result.js";
import { warmUpGenerator } from "../load/warm-up.js";
import { abReport } from "../report/ab-text.js";
import { LoopoolError, usageError } from "../shared/errors.js";
import { wholeNumber, withValues } from "./options.js";

const DEFAULT_REQUESTS = 10_000;
const DEFAULT_CONCURRENCY = 100;
const DEFAULT_TIMEOUT_S = 30;
/** Descriptors that a process has open beside its connections, with room to spare. */
const SPARE_DESCRIPTORS = 50;

const options = {
  requests: { alias: "n", describe: `requests to send [default: ${DEFAULT_REQUESTS}]` },
  concurrency: {
    alias: "c",
    describe: `connections, each with one request under way [default: ${DEFAULT_CONCURRENCY}]`,
  },
  timeout: { alias: "s", describe: `seconds allowed for a request [default: ${DEFAULT_TIMEOUT_S}]` },
  warmup: { describe: "requests to send before, and not to count [default: 0]" },
  header: { alias: "H", describe: 'one more header field, "Name: value"; may be repeated' },
} as const;

/** `loopool load URL`: one run of the load generator, told as ab tells it. */
export const loadCommand: CommandModule = {
  command: "load [url]",
  describe: "send requests to a server and print ab's report",
  builder: (yargs: Argv) =>
    yargs
      .positional("url", { describe: "http://host[:port][/path]", type: "string" })
      .options(withValues(options))
      .option("keep-alive", {
        alias: "k",
        describe: "use a connection for many requests",
        type: "boolean",
        default: true,
      })
      .option("by-first-byte", {
        describe: "with --json: latencies also by the first byte of the body, for a handler that answers in kinds",
        type: "boolean",
        default: false,
      })
      .option("hold", {
        describe: 'after the warm-up print "warm", and begin when a line comes on standard input',
        type: "boolean",
        default: false,
      })
      .option("json", { describe: "print the result as one line of JSON", type: "boolean", default: false })
      .example("$0 load -n 100000 -c 100 http://localhost:9090/", "as ab -k -n 100000 -c 100")
      .example("$0 load --no-keep-alive -c 450 http://localhost:9090/", "a new connection for every request"),
  handler: (argv) => load(argv as Readonly<Record<string, unknown>>),
};

async function load(argv: Readonly<Record<string, unknown>>): Promise<void> {
  const options: LoadOptions = {
    target: target(argv["url"]),
    requests: wholeNumber("requests", argv["requests"] ?? DEFAULT_REQUESTS, 1, 1e9),
    concurrency: wholeNumber("concurrency", argv["concurrency"] ?? DEFAULT_CONCURRENCY, 1, 1e5),
    keepAlive: argv["keepAlive"] === true,
    timeoutMs: wholeNumber("timeout", argv["timeout"] ?? DEFAULT_TIMEOUT_S, 1, 3600) * 1000,
    headers: [argv["header"] ?? []].flat().map((raw) => headerField(String(raw))),
    byFirstByte: argv["byFirstByte"] === true,
  };
  if (options.concurrency > options.requests) {
    throw usageError(
      `--concurrency ${options.concurrency} is more than --requests ${options.requests}: send at least one each`,
    );
  }
  checkOpenFiles(options.concurrency);
  const warmup = wholeNumber("warmup", argv["warmup"] ?? 0, 0, 1e9);

  const interruption = new AbortController();
  const interrupt = (): void => {
    // A second signal ends at once.
    process.once("SIGINT", () => process.exit(130));
    interruption.abort();
  };
  process.once("SIGINT", interrupt);
  process.once("SIGTERM", interrupt);
  await warmUpGenerator(options, interruption.signal);
  if (warmup > 0) {
    await run(
      { ...options, requests: warmup, concurrency: Math.min(options.concurrency, warmup) },
      interruption.signal,
    );
  }
  if (argv["hold"] === true) await hold();
  const result = await run(options, interruption.signal);
  process.stdout.write(argv["json"] === true ? `${JSON.stringify(result)}\n` : abReport(result));
  if (interruption.signal.aborted) process.exitCode = 130;
  else failIfNothingAnswered(result);
}

/** Whoever started this process has something to do between warm-up and window: read the server's counters. */
async function hold(): Promise<void> {
  process.stdout.write("warm\n");
  await once(process.stdin, "data");
  process.stdin.destroy();
}

/** All refused is a mistake in the address, not a measurement. */
function failIfNothingAnswered(result: RunResult): void {
  if (result.errors["connect-refused"] < result.sent) return;
  throw new LoopoolError(
    "REFUSED",
    `${result.url}: connection refused ${result.sent} times: does a server listen on that port?`,
  );
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
    throw usageError(`"${url}": only http:// can be measured, not ${parsed.protocol}//`);
  }
  if (parsed.username !== "" || parsed.password !== "") {
    throw usageError(`"${url}" has credentials in it: send them with --header "Authorization: …"`);
  }
  return {
    url: parsed.href,
    host: parsed.hostname.replace(/^\[|\]$/g, ""),
    port: parsed.port === "" ? 80 : Number(parsed.port),
    path: parsed.pathname + parsed.search,
    authority: parsed.host,
  };
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

/** Every connection is an open file: too few of them would look like a server that refuses. */
function checkOpenFiles(concurrency: number): void {
  const limit = openFilesLimit();
  if (limit !== null && concurrency + SPARE_DESCRIPTORS > limit) {
    const needed = concurrency + SPARE_DESCRIPTORS;
    throw usageError(
      `--concurrency ${concurrency} needs ${needed} open files, ${limit} are allowed: run "ulimit -n ${needed}" first`,
    );
  }
}

function openFilesLimit(): number | null {
  try {
    const soft = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    return soft === undefined || soft === "unlimited" ? null : Number(soft);
  } catch {
    return null;
  }
}
