import { resolve } from "node:path";
import type { Argv, CommandModule } from "yargs";
import { readSweep } from "../report/read.js";
import { writeReport } from "../report/write.js";
import { modes } from "../server.js";
import { usageError } from "../shared/errors.js";
import { openFilesLimit } from "../sweep/environment.js";
import { pinningFacts, resolvePinning } from "../sweep/pinning.js";
import { missingTrials } from "../sweep/plan.js";
import type { Pinning, SweepPlan, SweepResult } from "../sweep/result.js";
import { newResultFile } from "../sweep/store.js";
import { beginSweep, continueSweep } from "../sweep/sweep.js";
import { listOf, oneOf, text, wholeNumber, withValues } from "./options.js";
import { packageRoot } from "./package-root.js";
import { sweepProgress } from "./progress.js";

/** What a sweep does unless told otherwise: seed 001's concurrencies and requests. */
const usual = { cores: "reactor,pool", concurrency: "10,100,250,450", requests: 100_000, warmup: 20_000, trials: 7 };
/** `--quick`: seconds instead of minutes, for seeing that it works; its intervals are wide. */
const quick = { ...usual, concurrency: "10,100", requests: 20_000, warmup: 10_000, trials: 3 };
const DEFAULT_SEED = 1;
const DEFAULT_TRIAL_TIMEOUT_S = 300;
/** Descriptors of the generator beside its connections, with room to spare. */
const SPARE_DESCRIPTORS = 50;

/** Flags that make the plan: a sweep that is resumed has one already. */
const planOptions = {
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
  name: { describe: "part of the names of result and report [default: cores]" },
} as const;

const otherOptions = {
  resume: { describe: "result file of an interrupted sweep to finish" },
  out: { describe: "folder of the results [default: bench/results]" },
  reports: { describe: "folder of the reports [default: reports]" },
  "trial-timeout": { describe: `seconds a trial may take [default: ${DEFAULT_TRIAL_TIMEOUT_S}]` },
} as const;

type Values = Readonly<Record<string, unknown>>;

/** `loopool sweep`: both cores over all concurrencies, then the report. */
export const sweepCommand: CommandModule = {
  command: "sweep",
  describe: "compare the cores over several concurrencies and write the report",
  builder: (yargs: Argv) =>
    yargs
      .options(withValues({ ...planOptions, ...otherOptions }))
      .option("keep-alive", { describe: "use a connection for many requests [default: true]", type: "boolean" })
      .option("quick", { describe: "a small sweep, to see that it works", type: "boolean", default: false })
      .option("report", { describe: "write the report at the end", type: "boolean", default: true })
      .example("$0 sweep", "the whole comparison on the small hot page, under five minutes")
      .example("$0 sweep --quick", "a first look, half a minute")
      .example("$0 sweep --path '/mixed?slow=0.05&us=10000' --requests 2000", "one request in twenty burns 10 ms")
      .example("$0 sweep --no-keep-alive --concurrency 450", "a new connection for every request")
      .example("$0 sweep --resume bench/results/2026-11-21-cores.json", "finish what was interrupted"),
  handler: (argv) => sweep(argv as Values),
};

async function sweep(argv: Values): Promise<void> {
  const reports = text("reports", argv["reports"] ?? "reports");
  const trialTimeoutMs =
    wholeNumber("trial-timeout", argv["trialTimeout"] ?? DEFAULT_TRIAL_TIMEOUT_S, 1, 86_400) * 1000;
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort();
  process.once("SIGINT", interrupt);
  process.once("SIGTERM", interrupt);

  let file: string | undefined;
  const progress = sweepProgress(process.stderr);
  try {
    const started = argv["resume"] === undefined ? await begin(argv, interruption.signal) : await resume(argv);
    file = started.file;
    await continueSweep(file, started.result, trialTimeoutMs, progress, interruption.signal);
  } catch (error) {
    if (!interruption.signal.aborted) throw error;
    progress.end();
    const hint = file === undefined ? "" : `; to go on: npm run sweep -- --resume ${file}`;
    console.error(`\nloopool: interrupted, no finished trial is lost${hint}`);
    process.exit(130);
  }
  progress.end();
  console.log(`Result: ${file}`);
  if (argv["report"] === false) return;
  const { markdownPath, answer } = await writeReport(file, reports);
  for (const line of answer) console.log(line);
  console.log(`\nReport: ${markdownPath}`);
}

interface Started {
  readonly file: string;
  readonly result: SweepResult;
}

async function begin(argv: Values, signal: AbortSignal): Promise<Started> {
  const plan = planOf(argv);
  checkOpenFiles(Math.max(...plan.concurrencies));
  const name = text("name", argv["name"] ?? "cores");
  if (!/^[\w.-]+$/.test(name)) throw usageError(`--name may have letters, digits, ".", "-" and "_", not "${name}"`);
  const file = await newResultFile(text("out", argv["out"] ?? "bench/results"), name, new Date());
  const result = await beginSweep({ name, command: commandOf(argv), plan, packageFolder: packageRoot }, signal);
  return { file, result };
}

async function resume(argv: Values): Promise<Started> {
  const file = text("resume", argv["resume"]);
  const given = ["keepAlive", ...Object.keys(planOptions)].find((name) => argv[name] !== undefined);
  if (given !== undefined || argv["quick"] === true) {
    throw usageError(
      `--resume goes on with the plan in ${file}: leave --${given ?? "quick"} out, or start a new sweep`,
    );
  }
  const result = await readSweep(file);
  const missing = missingTrials(result.plan, result.trials).length;
  console.error(missing === 0 ? `${file} is finished` : `${missing} trials are missing in ${file}`);
  return { file, result };
}

function planOf(argv: Values): SweepPlan {
  const base = argv["quick"] === true ? quick : usual;
  const path = text("path", argv["path"] ?? "/");
  if (!/^\/[!-~]*$/.test(path)) throw usageError(`--path must start with "/" and have no spaces, not "${path}"`);
  const pinning = resolvePinning(text("pin", argv["pin"] ?? "auto"), path, pinningFacts());
  const requests = wholeNumber("requests", argv["requests"] ?? base.requests, 1, 1e9);
  const concurrencies = listOf("concurrency", argv["concurrency"] ?? base.concurrency, (flag, raw) =>
    wholeNumber(flag, raw, 1, 100_000),
  );
  if (Math.max(...concurrencies) > requests) {
    throw usageError(
      `--concurrency ${Math.max(...concurrencies)} is more than --requests ${requests}: send at least one each`,
    );
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
    workers: wholeNumber("workers", argv["workers"] ?? defaultWorkers(pinning), 1, 256),
    handlers: argv["handlers"] === undefined ? null : resolve(text("handlers", argv["handlers"])),
    pinning,
  };
}

/** Pinned, the main thread keeps one of the server's CPUs; unpinned, a burning handler may use them all. */
function defaultWorkers({ server }: Pinning): number {
  const { cpus } = pinningFacts();
  return Math.max(1, server === null ? cpus.length : server.split(",").length - 1);
}

function checkOpenFiles(concurrency: number): void {
  const limit = openFilesLimit();
  const needed = concurrency + SPARE_DESCRIPTORS;
  if (limit === null || needed <= limit) return;
  throw usageError(
    `--concurrency ${concurrency} needs ${needed} open files, ${limit} are allowed: run "ulimit -n ${needed}" first`,
  );
}

/** The command as a user would type it: the flags that were given. */
function commandOf(argv: Values): string {
  const flags = Object.keys({ ...planOptions, ...otherOptions })
    .filter((name) => argv[name] !== undefined)
    .map((name) => `--${name} ${quoted(String(argv[name]))}`);
  if (argv["quick"] === true) flags.unshift("--quick");
  if (argv["keepAlive"] !== undefined) flags.push(argv["keepAlive"] === false ? "--no-keep-alive" : "--keep-alive");
  return ["npm run sweep", ...(flags.length > 0 ? ["--", ...flags] : [])].join(" ");
}

/** As a shell needs it. */
function quoted(value: string): string {
  return /^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;
}
