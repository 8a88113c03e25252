import { pinningText } from "../harness/report/cpus.js";
import { writeReport } from "../harness/report/files/write.js";
import { loadText } from "../harness/report/format.js";
import { readSweep } from "../harness/report/read.js";
import { changesSince } from "../harness/sweep/environment.js";
import { pinningFacts, resolvePinning } from "../harness/sweep/pinning.js";
import { missingTrials } from "../harness/sweep/plan.js";
import type { SweepResult } from "../harness/sweep/result.js";
import { continueSweep } from "../harness/sweep/sweep.js";
import { usageError } from "../shared/errors.js";
import { packageRoot } from "../shared/package-root.js";
import { oneLine } from "../shared/terminal-text.js";
import type { Command } from "./command.js";
import { called } from "./invocation.js";
import { checkOpenFiles } from "./open-files.js";
import { defaultFolders, outputFolder } from "./output-folder.js";
import { estimateText, sweepProgress } from "./progress.js";
import { exitCodeOf } from "./signals.js";
import { beginNew, DEFAULT_TRIAL_TIMEOUT_S, nextBlocksOf, trialTimeoutOf } from "./sweep-begin.js";
import { planOptions } from "./sweep-plan.js";
import { checkConsent, checkSameFlags, consentFlags, quoted, runsText } from "./sweep-resume.js";
import { reportFiles, text, withValues } from "./values/options.js";

/** Failed trials that are told of one by one; a sweep in which all fail, fails for one reason. */
const MAX_FAILURES_SHOWN = 3;

/** Flags that decide where a new result goes. */
const resultOptions = {
  name: { describe: "part of the names of result and report [default: cores]" },
  out: { describe: `folder of the results [default: ${defaultFolders.results}]` },
} as const;

/** Flags that a resumed sweep takes too. */
const runOptions = {
  reports: { describe: `folder of the reports [default: ${defaultFolders.reports}]` },
  "trial-timeout": { describe: `seconds a trial may take [default: ${DEFAULT_TRIAL_TIMEOUT_S}]` },
} as const;

type Values = Readonly<Record<string, unknown>>;

/** `loopool sweep`: both cores over all concurrencies, then the report. */
export const sweepCommand: Command = {
  options: (yargs) =>
    yargs
      .options(withValues({ ...planOptions, ...resultOptions, ...runOptions }))
      .options(
        withValues({
          resume: {
            describe: "result file of an interrupted sweep to finish; give --handlers, --target and --driver again",
          },
        }),
      )
      .option("keep-alive", { describe: "use a connection for many requests [default: true]", type: "boolean" })
      .option("quick", { describe: "a small sweep, to see that it works", type: "boolean" })
      .option("aa", { describe: "measure the first core against itself too, for the noise floor", type: "boolean" })
      .option("report", { describe: "write the report at the end", type: "boolean", default: true })
      .example(called("sweep"), "the whole comparison on the small hot page, about five minutes")
      .example(called("sweep --quick"), "a first look, under half a minute")
      .example(called("sweep --path '/mixed?slow=0.05&us=10000' --requests 2000"), "one request in twenty burns 10 ms")
      .example(called("sweep --aa"), "the noise floor too: no smaller difference is called one; half as long again")
      .example(called("sweep --until 3%"), "as many blocks as it takes to know every ratio to ±3%, or a limit")
      .example(
        called("sweep --target nginx=http://127.0.0.1:8080"),
        "a server that is not ours, side by side with the cores",
      )
      .example(called("sweep --rate auto --concurrency 100"), "latencies at 50, 70 and 90% of the capacity (open loop)")
      .example(called("sweep --driver wrk --duration 2"), "the same plan with wrk, to check one with the other")
      .example(called("sweep --server-cpus 1,2"), "with one CPU and with two")
      .example(called("sweep --no-keep-alive --concurrency 450"), "a new connection for every request")
      .example(called(`sweep --resume ${defaultFolders.results}/2026-11-21-cores.json`), "finish what was interrupted")
      .epilogue(reportFiles),
  handler: sweep,
};

async function sweep(argv: Values): Promise<void> {
  const reports = argv["reports"] === undefined ? undefined : text("reports", argv["reports"]);
  const trialTimeoutMs = trialTimeoutOf(argv["trial-timeout"]);
  const { file, trials } = await runToTheEnd(argv, trialTimeoutMs);
  console.log(`Result: ${oneLine(file)}`);
  tellFailures(trials);
  if (argv["report"] === false) return;
  const { markdownPath, answer } = await writeReport(file, outputFolder("reports", reports));
  for (const line of answer) console.log(oneLine(line));
  console.log(`\nReport: ${oneLine(markdownPath)}`);
}

interface Sweep {
  readonly file: string;
  readonly result: SweepResult;
}

/** Runs all trials that are missing. When it is interrupted it says how to go on and ends this process. */
async function runToTheEnd(
  argv: Values,
  trialTimeoutMs: number,
): Promise<{ readonly file: string; readonly trials: SweepResult["trials"] }> {
  const interruption = new AbortController();
  let exitCode = 1;
  const interrupt = (signal: NodeJS.Signals): void => {
    exitCode = exitCodeOf(signal);
    interruption.abort();
  };
  // Never "once": npm passes a Ctrl-C on that the terminal has sent already, and a second one must not end this process
  // before it has said how to go on. A terminal that closes takes nothing with it either: the children are groups of their own.
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, interrupt);
  const progress = sweepProgress(process.stderr);
  let begun: Sweep | undefined;
  try {
    begun = argv["resume"] === undefined ? await begin(argv, trialTimeoutMs, interruption.signal) : await resume(argv);
    const { file, result } = begun;
    const { signal } = interruption;
    const { trials } = await continueSweep(file, result, trialTimeoutMs, progress, signal, nextBlocksOf(result));
    return { file, trials };
  } catch (error) {
    if (!interruption.signal.aborted) throw error;
    progress.end();
    const hint = begun === undefined ? "" : `; to go on: ${resumeCommand(begun, argv)}`;
    console.error(`\nloopool: interrupted, no finished trial is lost${oneLine(hint)}`);
    return process.exit(exitCode);
  } finally {
    progress.end();
    for (const signal of signals) process.off(signal, interrupt);
  }
}

async function begin(argv: Values, timeoutMs: number, signal: AbortSignal): Promise<Sweep> {
  const { file, result, probes } = await beginNew(argv, commandOf(argv), timeoutMs, signal);
  const { plan } = result;
  console.error(oneLine(`${missingTrials(plan, []).length} trials, each written to ${file}. ${pinningText(plan)}`));
  console.error(estimateText(plan, probes));
  return { file, result };
}

async function resume(argv: Values): Promise<Sweep> {
  const file = text("resume", argv["resume"]);
  const result = await readSweep(file);
  checkSameFlags(file, result, argv);
  const { plan, trials } = result;
  const missing = missingTrials(plan, trials).length;
  if (missing === 0) {
    console.error(`${oneLine(file)} is finished`);
    return { file, result };
  }
  checkConsent(file, result, argv);
  const changes = changesSince(result.environment, packageRoot);
  if (changes.length > 0) {
    throw usageError(
      `--resume ${file}: its trials cannot be compared with ones made here (${changes.join("; ")}): start a new sweep`,
    );
  }
  for (const { pinning } of plan.serverCpus ?? [plan]) {
    const { server, generator } = pinning;
    if (server !== null && generator !== null) resolvePinning(`${server}:${generator}`, plan, pinningFacts());
  }
  checkOpenFiles(Math.max(...plan.concurrencies), plan.threads);
  console.error(oneLine(`${missing} trials are missing in ${file}. ${pinningText(plan)}`));
  const runs = runsText(plan);
  if (runs !== null) console.error(oneLine(runs));
  return { file, result };
}

/** A trial that failed is in the report; whoever waits for this command must not have to read it to know. */
function tellFailures(trials: SweepResult["trials"]): void {
  const fruitless = trials.filter(({ run }) => run !== null && run.completed === 0);
  if (fruitless.length > 0) {
    process.exitCode = 1;
    console.error(
      `loopool: no request succeeded in ${fruitless.length} of ${trials.length} trials: see Validity in the report`,
    );
  }
  const failed = trials.filter(({ failure }) => failure !== null);
  if (failed.length === 0) return;
  process.exitCode = 1;
  console.error(`loopool: ${failed.length} of ${trials.length} trials failed`);
  for (const { failure, ...trial } of failed.slice(0, MAX_FAILURES_SHOWN)) {
    console.error(`  block ${trial.block + 1}, ${trial.core}, ${loadText(trial)}: ${oneLine(failure ?? "")}`);
  }
  if (failed.length > MAX_FAILURES_SHOWN) console.error(`  and ${failed.length - MAX_FAILURES_SHOWN} more`);
}

/** The command as a user would type it: the flags that were given. */
function commandOf(argv: Values): string {
  const flags = flagsGiven({ ...planOptions, ...resultOptions, ...runOptions }, argv);
  if (argv["aa"] === true) flags.unshift("--aa");
  if (argv["quick"] === true) flags.unshift("--quick");
  if (argv["keep-alive"] !== undefined) flags.push(argv["keep-alive"] === false ? "--no-keep-alive" : "--keep-alive");
  return called(["sweep", ...flags].join(" "));
}

function resumeCommand({ file, result }: Sweep, argv: Values): string {
  const flags = [
    ...consentFlags(result.plan),
    ...flagsGiven(runOptions, argv),
    ...(argv["report"] === false ? ["--no-report"] : []),
  ];
  return called(["sweep --resume", quoted(file), ...flags].join(" "));
}

function flagsGiven(options: Readonly<Record<string, unknown>>, argv: Values): string[] {
  return Object.keys(options)
    .filter((name) => argv[name] !== undefined)
    .flatMap((name) => [argv[name]].flat().map((value) => `--${name} ${quoted(String(value))}`));
}
