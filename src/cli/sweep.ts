import { resolve } from "node:path";
import { setUpEnvironment } from "../app/environment.js";
import { pinningText } from "../harness/report/cpus.js";
import { writeReport } from "../harness/report/files/write.js";
import { loadText } from "../harness/report/format.js";
import { checkKinds, type Limit, parseLimits } from "../harness/report/limits.js";
import { readSweep } from "../harness/report/read.js";
import { changesSince } from "../harness/sweep/environment.js";
import { pinningFacts, resolvePinning } from "../harness/sweep/pinning.js";
import { kindNames, missingTrials } from "../harness/sweep/plan.js";
import type { SweepResult } from "../harness/sweep/result.js";
import { stateText } from "../harness/sweep/state-check.js";
import { continueSweep } from "../harness/sweep/sweep.js";
import { type ServerScript, serveScript } from "../harness/sweep/trial.js";
import { usageError } from "../shared/errors.js";
import { packageRoot } from "../shared/package-root.js";
import { oneLine } from "../shared/terminal-text.js";
import type { Command } from "./command.js";
import { interruptibly } from "./interruptible.js";
import { called } from "./invocation.js";
import { reportJudgement } from "./judgement.js";
import { checkOpenFiles } from "./open-files.js";
import { defaultFolders, outputFolder } from "./output-folder.js";
import { answersText, estimateText, sweepProgress } from "./progress.js";
import { beginNew, DEFAULT_TRIAL_TIMEOUT_S, nextBlocksOf, otherVersionOf, trialTimeoutOf } from "./sweep-begin.js";
import { planOptions } from "./sweep-plan.js";
import {
  checkConsent,
  checkSameFlags,
  checkSameTraffic,
  checkSameVersion,
  consentFlags,
  quoted,
  runsText,
} from "./sweep-resume.js";
import { withRequest } from "./sweep-traffic.js";
import { reportFiles, text, withApplication, withApplicationArgument, withValues } from "./values/options.js";

/** Failed trials that are told of one by one; a sweep in which all fail, fails for one reason. */
const MAX_FAILURES_SHOWN = 3;

/** Flags that decide where a new result goes. */
const resultOptions = {
  name: { describe: "part of the names of result and report [default: cores]" },
  out: { describe: `folder of the results [default: ${defaultFolders.results}]` },
} as const;

/** Flags that a resumed sweep takes too. */
const runOptions = {
  "env-file": { describe: "file with variables for your application; those that are set already stay" },
  reports: { describe: `folder of the reports [default: ${defaultFolders.reports}]` },
  "fail-if": {
    describe:
      "exit code 1 where this is so of any core, with the whole interval of its median, like 'p99>50ms', 'errors>0' or 'p99[GET /x]>50ms'; 3 " +
      "where it is not decided; several with commas",
  },
  "trial-timeout": { describe: `seconds a trial may take [default: ${DEFAULT_TRIAL_TIMEOUT_S}]` },
} as const;

type Values = Readonly<Record<string, unknown>>;

/** `loopool sweep`: both cores over all concurrencies, then the report. */
export const sweepCommand: Command = {
  options: (yargs) =>
    withApplicationArgument(yargs)
      .options(withValues({ ...planOptions, ...resultOptions, ...runOptions }))
      .options(
        withValues({
          resume: {
            describe:
              "result file of an interrupted sweep to finish; give --handlers, --target, --target-command, --driver and --against again",
          },
        }),
      )
      .option("keep-alive", { describe: "use a connection for many requests [default: true]", type: "boolean" })
      .option("variable-length", {
        alias: "l",
        describe:
          "bodies may differ in length [default: for --handlers, --target-command and several kinds of request]",
        type: "boolean",
      })
      .option("insecure", { describe: "do not check the certificate of a --target over https://", type: "boolean" })
      .option("quick", { describe: "a small sweep, to see that it works", type: "boolean" })
      .option("aa", { describe: "measure the first core against itself too, for the noise floor", type: "boolean" })
      .option("report", { describe: "write the report at the end", type: "boolean", default: true })
      .example(called("sweep"), "the whole comparison on the small hot page, about five minutes")
      .example(called("sweep --quick"), "a first look, under half a minute")
      .example(called("sweep --path '/mixed?slow=0.05&us=10000' --requests 2000"), "one request in twenty burns 10 ms")
      .example(called("sweep ./app.ts --path /render"), "your own application on both cores")
      .example(called("sweep --aa"), "the noise floor too: no smaller difference is called one; half as long again")
      .example(called("sweep --until 3%"), "as many blocks as it takes to know every ratio to ±3%, or a limit")
      .example(
        called("sweep --target nginx=http://127.0.0.1:8080"),
        "a server that is not ours, side by side with the cores",
      )
      .example(
        called("sweep --handlers ./app.js --request 'POST /render' --body-file r.json --rate 500"),
        "your own application under your own request: which core serves more, and which is faster at your rate",
      )
      .example(
        called("sweep --handlers ./app.js --target-command now='node app.js' --requests-file traffic.har"),
        "beside the application as it runs today, under what a browser has recorded",
      )
      .example(called("sweep --against HEAD~1 --path /hello"), "what the last commit changed: both versions in turns")
      .example(called("sweep --rate auto --concurrency 100"), "latencies at 50, 70 and 90% of the capacity (open loop)")
      .example(called("sweep --driver wrk --duration 2"), "the same plan with wrk, to check one with the other")
      .example(called("sweep --server-cpus 1,2"), "with one CPU and with two")
      .example(called("sweep --no-keep-alive --concurrency 450"), "a new connection for every request")
      .example(called(`sweep --resume ${defaultFolders.results}/2026-11-21-cores.json`), "finish what was interrupted")
      .epilogue(reportFiles),
  handler: sweep,
};

async function sweep(given: Values): Promise<void> {
  const argv = withApplication(given);
  // Servers copy it.
  if (argv["env-file"] !== undefined) setUpEnvironment(resolve(text("env-file", argv["env-file"])));
  const reports = argv["reports"] === undefined ? undefined : text("reports", argv["reports"]);
  const trialTimeoutMs = trialTimeoutOf(argv["trial-timeout"]);
  const limits = argv["fail-if"] === undefined ? [] : parseLimits(text("fail-if", argv["fail-if"]));
  if (limits.length > 0 && argv["report"] === false) {
    throw usageError("--fail-if judges what the report says: leave out --no-report");
  }
  const { file, trials } = await runToTheEnd(argv, trialTimeoutMs, limits);
  console.log(`Result: ${oneLine(file)}`);
  tellFailures(trials);
  if (argv["report"] === false) return;
  const { markdownPath, answer, summary, judgement } = await writeReport(
    file,
    outputFolder("reports", reports),
    limits,
  );
  for (const line of summary) console.log(oneLine(line));
  console.log();
  for (const line of answer) console.log(oneLine(line));
  console.log(`\nReport: ${oneLine(markdownPath)}`);
  reportJudgement(judgement);
}

interface Sweep {
  readonly file: string;
  readonly result: SweepResult;
  readonly serverScript: ServerScript;
}

/** Runs all trials that are missing. When it is interrupted it says how to go on and ends this process. */
async function runToTheEnd(
  argv: Values,
  trialTimeoutMs: number,
  limits: readonly Limit[],
): Promise<{ readonly file: string; readonly trials: SweepResult["trials"] }> {
  const progress = sweepProgress(process.stderr);
  let begun: Sweep | undefined;
  const hint = () => (begun === undefined ? null : resumeCommand(begun, argv));
  return await interruptibly(progress, hint, async (signal) => {
    begun = argv["resume"] === undefined ? await begin(argv, trialTimeoutMs, signal) : await resume(argv, signal);
    const { file, result, serverScript } = begun;
    checkKinds(limits, kindNames(result.plan));
    const next = nextBlocksOf(result);
    const { trials } = await continueSweep(file, result, trialTimeoutMs, progress, signal, next, serverScript);
    return { file, trials };
  });
}

async function begin(argv: Values, timeoutMs: number, signal: AbortSignal): Promise<Sweep> {
  if (argv["against"] !== undefined) console.error(oneLine(`Making ${String(argv["against"])} ready`));
  const { file, result, checked, notes, serverScript } = await beginNew(argv, commandOf(argv), timeoutMs, signal);
  const { plan, stateDifferences = [] } = result;
  for (const note of notes) console.error(`loopool: ${oneLine(note)}`);
  if (plan.handlers !== null || plan.commands !== undefined) console.error(answersText(checked.answers));
  for (const difference of stateDifferences) console.error(`loopool: ${oneLine(stateText(difference))}`);
  console.error(oneLine(`${missingTrials(plan, []).length} trials, each written to ${file}. ${pinningText(plan)}`));
  console.error(estimateText(plan, checked.probes));
  return { file, result, serverScript };
}

async function resume(argv: Values, signal: AbortSignal): Promise<Sweep> {
  const file = text("resume", argv["resume"]);
  const result = await readSweep(file);
  const asked = withRequest(argv);
  checkSameFlags(file, result, asked);
  await checkSameTraffic(file, result, asked);
  const { plan, trials } = result;
  const missing = missingTrials(plan, trials).length;
  if (missing === 0) {
    console.error(`${oneLine(file)} is finished`);
    return { file, result, serverScript: serveScript };
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
  const other = await otherVersionOf(argv["against"], signal);
  if (other !== null) checkSameVersion(file, result, other.version);
  return { file, result, serverScript: other?.serverScript ?? serveScript };
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
  if (argv["variableLength"] !== undefined)
    flags.push(argv["variableLength"] === false ? "--no-variable-length" : "--variable-length");
  if (argv["insecure"] === true) flags.push("--insecure");
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
