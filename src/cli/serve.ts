import { readFileSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { isAbsolute, resolve } from "node:path";
import type { Argv, CommandModule } from "yargs";
import { modes, startServer } from "../server.js";
import type { LogConfig, ServerConfig } from "../shared/config.js";
import { messageOf, usageError } from "../shared/errors.js";
import { countUnhandledRejections } from "../shared/handlers/dispatch.js";
import { oneOf, text, wholeNumber, withValues } from "./options.js";
import { packageRoot } from "./package-root.js";

const MAX_WORKERS = 256;
const DRAIN_TIMEOUT_MS = 10_000;

/** Not yargs' own defaults: a flag that was not given must not hide what the file says. */
const defaults = {
  mode: "reactor",
  port: 9090,
  queue: 1024,
  "cache-bytes": 64 * 2 ** 20,
  "worker-idle": 10,
  "request-timeout": 30,
  log: "off",
  "log-format": "combined",
  "log-overflow": "drop",
} as const;

const logFormats = ["combined", "json"] as const;

const options = {
  mode: { describe: `core that runs the handlers: ${modes.join(", ")} [default: ${defaults.mode}]` },
  port: { describe: `port to listen on; 0 takes a free one [default: ${defaults.port}]` },
  host: { describe: "address to listen on [default: all IPv4 and IPv6 addresses]" },
  root: { describe: "folder whose files are served [default: the www folder of loopool]" },
  workers: { describe: "worker threads of the pool, a number or MIN:MAX [default: cores − 1, at least 1]" },
  "worker-idle": {
    describe: `seconds without work after which a worker beyond MIN ends [default: ${defaults["worker-idle"]}]`,
  },
  "worker-memory": { describe: "MiB of heap that a worker may use [default: Node's own limit]" },
  "request-timeout": {
    describe: `seconds after which the pool answers 504 and replaces a worker stuck in the request; 0: never [default: ${defaults["request-timeout"]}]`,
  },
  queue: { describe: `requests queued or in service at once in the pool, a power of two [default: ${defaults.queue}]` },
  "cache-bytes": {
    describe: `bound of the file cache that all threads share [default: ${defaults["cache-bytes"]}]`,
  },
  handlers: { describe: "module with handlers of your own, see docs/handlers.md" },
  "iterations-per-us": { describe: "iterations of the burn loop per µs [default: calibrated at the start]" },
  log: {
    describe: `access log: a file, - for standard output, or off; SIGHUP opens the file anew [default: ${defaults.log}]`,
  },
  "log-format": { describe: `its lines: ${logFormats.join(", ")} [default: ${defaults["log-format"]}]` },
  "log-overflow": {
    describe: `when it is not written as fast as requests are answered: drop lines and count them, or block the server [default: ${defaults["log-overflow"]}]`,
  },
  config: { describe: "JSON file with any of these options, without the dashes; flags win over it" },
} as const;

type Name = keyof typeof options;
type Values = Readonly<Partial<Record<Name, unknown>>>;

/** `loopool serve`: runs one server until it is told to stop. */
export const serveCommand: CommandModule = {
  command: "serve",
  describe: "serve on one of the cores",
  builder: (yargs: Argv) =>
    yargs
      .options(withValues(options))
      .example("$0 serve --mode pool", "serve www on port 9090, handlers in worker threads")
      .example("$0 serve --mode reactor --port 0 --host 127.0.0.1", "a free port, this machine only")
      .example("$0 serve --log access.log", "an access log in the Combined Log Format")
      .example("$0 serve --mode pool --handlers ./my-handlers.js", "measure your own handler"),
  handler: (argv) => serve(resolveConfig(argv as Values)),
};

async function serve(config: ServerConfig): Promise<void> {
  const server = await startServer(config);
  countUnhandledRejections(server.mainStats);
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) process.exit(signal === "SIGINT" ? 130 : 143);
    stopping = true;
    server.stop().then((cutOff) => {
      if (cutOff > 0) console.error(`loopool: ${cutOff} requests were cut off after ${config.drainTimeoutMs} ms`);
      process.exit(0);
    });
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  // Without a log it ends the server, as it does by default.
  if (config.log !== null) process.on("SIGHUP", () => server.reopenLog());
  // Last: whoever reads the line may send a signal at once.
  console.log(`loopool ${config.mode} listening on ${server.url} pid ${process.pid} workers ${server.workers}`);
}

/** Flags over file over defaults, each value checked. Throws a usage error that names the flag or the file. */
function resolveConfig(flags: Values): ServerConfig {
  const file = flags.config === undefined ? {} : readConfigFile(text("config", flags.config));
  const value = (name: Name): unknown => flags[name] ?? file[name] ?? (defaults as Values)[name];
  const path = (name: "root" | "handlers"): string | null =>
    value(name) === undefined ? null : resolve(text(name, value(name)));

  const queue = wholeNumber("queue", value("queue"), 2, 2 ** 20);
  if ((queue & (queue - 1)) !== 0) {
    throw usageError(`--queue must be a power of two, not ${queue}: try ${2 ** Math.ceil(Math.log2(queue))}`);
  }
  const root = path("root") ?? resolve(packageRoot, "www");
  if (!statSync(root, { throwIfNoEntry: false })?.isDirectory()) throw usageError(`--root ${root} is not a folder`);
  return {
    mode: oneOf("mode", value("mode"), modes),
    port: wholeNumber("port", value("port"), 0, 65535),
    host: value("host") === undefined ? null : text("host", value("host")),
    root,
    workers: workerRange(value("workers")),
    workerIdleMs: seconds("worker-idle", value("worker-idle")),
    workerMemoryMiB:
      value("worker-memory") === undefined ? null : wholeNumber("worker-memory", value("worker-memory"), 8, 2 ** 20),
    requestTimeoutMs: seconds("request-timeout", value("request-timeout")) || null,
    queue,
    cacheBytes: wholeNumber("cache-bytes", value("cache-bytes"), 2 ** 16, 2 ** 31),
    handlers: path("handlers"),
    iterationsPerMicro: positive("iterations-per-us", value("iterations-per-us")),
    log: logConfig(
      text("log", value("log")),
      oneOf("log-format", value("log-format"), logFormats),
      oneOf("log-overflow", value("log-overflow"), ["drop", "block"]),
    ),
    drainTimeoutMs: DRAIN_TIMEOUT_MS,
  };
}

/** Where the log goes: a file of the name "off" or "-" is to be had as ./off. */
function logConfig(log: string, format: LogConfig["format"], overflow: LogConfig["overflow"]): LogConfig | null {
  if (log === "off") return null;
  return { file: log === "-" ? null : resolve(log), format, overflow };
}

function positive(flag: string, raw: unknown): number | null {
  if (raw === undefined) return null;
  const value = Number(text(flag, typeof raw === "number" ? String(raw) : raw));
  if (value > 0 && Number.isFinite(value)) return value;
  throw usageError(`--${flag} must be a number above 0, not "${String(raw)}"`);
}

/** "4" or "1:8". */
function workerRange(raw: unknown): ServerConfig["workers"] {
  const few = Math.max(1, availableParallelism() - 1);
  const [first, second, ...rest] = raw === undefined ? [few] : String(raw).split(":");
  if (rest.length > 0) throw usageError(`--workers must be a number or MIN:MAX, not "${String(raw)}"`);
  const min = wholeNumber("workers", first, 1, MAX_WORKERS);
  const max = second === undefined ? min : wholeNumber("workers", second, 1, MAX_WORKERS);
  if (max < min) throw usageError(`--workers ${String(raw)}: the second number must not be below the first`);
  return { min, max };
}

/** Seconds, with fractions if need be, as ms. */
function seconds(flag: string, raw: unknown): number {
  const value = typeof raw === "number" ? raw : Number(text(flag, raw));
  if (value >= 0 && value <= 86_400) return value * 1000;
  throw usageError(`--${flag} must be a number of seconds from 0 to 86400, not "${String(raw)}"`);
}

function readConfigFile(path: string): Values {
  const file = isAbsolute(path) ? path : resolve(path);
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw usageError(`--config ${path} cannot be read as JSON: ${messageOf(error)}`);
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw usageError(`--config ${path} must hold one JSON object`);
  }
  const allowed = Object.keys(options).filter((name) => name !== "config");
  for (const key of Object.keys(parsed)) {
    if (!allowed.includes(key))
      throw usageError(`--config ${path} has an unknown key "${key}"; allowed: ${allowed.join(", ")}`);
  }
  return parsed;
}
