import { accessSync } from "node:fs";
import { resolve } from "node:path";
import { modes } from "../server.js";
import { usageError } from "../shared/errors.js";
import { cpuList } from "../statistics/cpu-list.js";
import { type PinningFacts, pinningFacts, resolvePinning } from "../sweep/pinning.js";
import type { Pinning, SweepPlan } from "../sweep/result.js";
import { listOf, oneOf, text, wholeNumber } from "./options.js";

/**
 * What a sweep does unless told otherwise: seed 001's concurrencies and requests. An even number of trials, so that each core comes
 * first as often as the other.
 */
const usual = { cores: "reactor,pool", concurrency: "10,100,250,450", requests: 100_000, warmup: 20_000, trials: 10 };
/** `--quick`: seconds instead of minutes, for seeing that it works; its intervals are wide. */
const quick = { ...usual, concurrency: "10,100", requests: 20_000, warmup: 10_000, trials: 4 };
const DEFAULT_SEED = 1;

/** Flags that make the plan: a sweep that is resumed has one already. Beside them `--keep-alive` and `--quick`. */
export const planOptions = {
  cores: { describe: `cores to compare, the first is the base: ${modes.join(", ")} [default: ${usual.cores}]` },
  concurrency: { describe: `connections, each with one request under way [default: ${usual.concurrency}]` },
  requests: { describe: `requests of a trial [default: ${usual.requests}]` },
  warmup: { describe: `requests before each trial, not counted [default: ${usual.warmup}]` },
  trials: { describe: `trials of each core at each concurrency [default: ${usual.trials}]` },
  path: { describe: "path and query to request [default: /, the 1 KiB page]" },
  seed: { describe: `decides the order of the trials [default: ${DEFAULT_SEED}]` },
  workers: { describe: "worker threads of the pool [default: what the server's CPUs leave beside its main thread]" },
  handlers: { describe: "module with handlers of your own, see docs/handlers.md" },
  pin: { describe: "CPUs: auto, none, or SERVER:GENERATOR like 0:1 [default: auto]" },
} as const;

/** The plan that the flags ask for. Throws a usage error that names the flag and what is allowed. */
export function planOf(argv: Readonly<Record<string, unknown>>): SweepPlan {
  const base = argv["quick"] === true ? quick : usual;
  const path = text("path", argv["path"] ?? "/");
  if (!/^\/[!"$-~]*$/.test(path)) {
    throw usageError(`--path must start with "/" and have no spaces and no "#", not "${path}"`);
  }
  const handlers = argv["handlers"] === undefined ? null : handlersFile(text("handlers", argv["handlers"]));
  const facts = pinningFacts();
  const pinning = resolvePinning(text("pin", argv["pin"] ?? "auto"), { path, handlers }, facts);
  const requests = wholeNumber("requests", argv["requests"] ?? base.requests, 1, 1e9);
  const concurrencies = listOf("concurrency", argv["concurrency"] ?? base.concurrency, (flag, raw) =>
    wholeNumber(flag, raw, 1, 100_000),
  );
  const most = Math.max(...concurrencies);
  if (most > requests) {
    throw usageError(`--concurrency ${most} is more than --requests ${requests}: send at least one each`);
  }
  return {
    cores: listOf("cores", argv["cores"] ?? base.cores, (flag, raw) => oneOf(flag, raw, modes)),
    concurrencies,
    requests,
    warmupRequests: wholeNumber("warmup", argv["warmup"] ?? base.warmup, 0, 1e9),
    trials: wholeNumber("trials", argv["trials"] ?? base.trials, 1, 1000),
    path,
    keepAlive: argv["keepAlive"] !== false,
    seed: wholeNumber("seed", argv["seed"] ?? DEFAULT_SEED, 0, 2 ** 32 - 1),
    workers: wholeNumber("workers", argv["workers"] ?? defaultWorkers(pinning, facts), 1, 256),
    handlers,
    pinning,
  };
}

function handlersFile(value: string): string {
  const file = resolve(value);
  try {
    accessSync(file);
  } catch {
    throw usageError(`--handlers ${value} is not there: name a module like ./my-handlers.js`);
  }
  return file;
}

/** Pinned, the main thread keeps one of the server's CPUs; unpinned, a burning handler may use them all. */
function defaultWorkers({ server }: Pinning, { cpus }: PinningFacts): number {
  return Math.max(1, server === null ? cpus.length : cpuList(server).size - 1);
}
