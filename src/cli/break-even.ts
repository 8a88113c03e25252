import { compareResults, comparisonLines } from "../harness/break-even/compare.js";
import { estimatedSeconds, missingPoints, type PlannedPoint, sweepPlanOf } from "../harness/break-even/plan.js";
import { readBreakEven } from "../harness/break-even/read.js";
import type { BreakEvenResult } from "../harness/break-even/result.js";
import { beginBreakEven, continueBreakEven } from "../harness/break-even/run.js";
import { reportOf, writeBreakEvenReport } from "../harness/break-even/write.js";
import { costText, counted, loadText } from "../harness/report/format.js";
import { checkTargets, type Probe } from "../harness/sweep/check.js";
import { changesSince } from "../harness/sweep/environment.js";
import { pinningFacts, resolvePinning } from "../harness/sweep/pinning.js";
import { createResultFile } from "../harness/sweep/store.js";
import { adapters, modes } from "../server.js";
import { usageError } from "../shared/errors.js";
import { packageRoot } from "../shared/package-root.js";
import { oneLine } from "../shared/terminal-text.js";
import { breakEvenOptions, breakEvenPlanOf } from "./break-even-plan.js";
import type { Command } from "./command.js";
import { interruptibly } from "./interruptible.js";
import { called } from "./invocation.js";
import { checkOpenFiles } from "./open-files.js";
import { defaultFolders, outputFolder } from "./output-folder.js";
import { roughly, sweepProgress } from "./progress.js";
import { DEFAULT_TRIAL_TIMEOUT_S, trialTimeoutOf } from "./sweep-begin.js";
import { quoted } from "./sweep-resume.js";
import { text, withValues } from "./values/options.js";

type Values = Readonly<Record<string, unknown>>;

/** Flags that decide where a new result goes. */
const resultOptions = {
  name: { describe: "part of the names of result and report [default: break-even]" },
  out: { describe: `folder of the results [default: ${defaultFolders.results}]` },
} as const;

/** Flags that a resumed measurement, and a report, take too. */
const runOptions = {
  reports: { describe: `folder of the reports [default: ${defaultFolders.reports}]` },
  "trial-timeout": { describe: `seconds a trial may take [default: ${DEFAULT_TRIAL_TIMEOUT_S}]` },
} as const;

/** A trial also starts a server and a generator, and ends them: about so many times what a server's start takes. */
const STARTS = 3;

/** `loopool break-even`: from which handler cost on another core passes the base. */
export const breakEvenCommand: Command = {
  options: (yargs) =>
    yargs
      .positional("file", { type: "string", describe: "a stored result: write its report again, measure nothing" })
      .positional("other", { type: "string", describe: "a second one, of another machine or hour: compare the two" })
      .options(withValues({ ...breakEvenOptions, ...resultOptions, ...runOptions }))
      .options(withValues({ resume: { describe: "result file of an interrupted measurement to finish" } }))
      .option("json", { describe: "print the answer as JSON", type: "boolean" })
      .option("report", { describe: "write the report at the end", type: "boolean", default: true })
      .example(called("break-even"), "from which handler CPU on the pool passes the reactor, about five minutes")
      .example(
        called("break-even --rate 800 --server-cpus 2"),
        "also where its 99th percentile is shorter at 800 requests/s",
      )
      .example(called("break-even --sleep 10"), "the same of a handler that waits 10 ms for a database first")
      .example(called("break-even --slow-share 0.05"), "one request in twenty burns, the others answer at once")
      .example(called("break-even mine.json theirs.json"), "two machines")
      .epilogue(
        "A report is <name>.md and a folder <name> with its charts (SVG) and break-even.json. docs/break-even.md tells how to read it.",
      ),
  handler: breakEven,
};

async function breakEven(argv: Values): Promise<void> {
  const json = argv["json"] === true;
  if (argv["other"] !== undefined) return await compareFiles(text("file", argv["file"]), text("other", argv["other"]));
  const { file, result } = await finished(argv);
  const report = reportOf(result, file);
  const out = argv["report"] === false ? null : outputFolder("reports", optional("reports", argv));
  const markdownPath = out === null ? null : await writeBreakEvenReport(result, report, file, out);
  if (json) {
    console.log(JSON.stringify(report.data));
    return;
  }
  for (const line of report.lines) console.log(oneLine(line));
  if (markdownPath !== null) console.log(`\nReport: ${oneLine(markdownPath)}`);
}

/** A stored result, or a new one, with all its trials. */
async function finished(argv: Values): Promise<Measurement> {
  if (argv["file"] === undefined) return await measure(argv);
  const file = text("file", argv["file"]);
  refuse(argv, { ...breakEvenOptions, ...resultOptions, resume: {} }, `${file} is a stored result`);
  return { file, result: await finishedResult(file) };
}

async function finishedResult(file: string): Promise<BreakEvenResult> {
  const result = await readBreakEven(file);
  if (result.finishedAt !== null) return result;
  const missing = counted(missingPoints(result.plan, result.trials).length, "trial");
  throw usageError(`${file} lacks ${missing}: finish it with ${called(`break-even --resume ${quoted(file)}`)}`);
}

async function compareFiles(first: string, second: string): Promise<void> {
  const files = [
    { file: first, result: await finishedResult(first) },
    { file: second, result: await finishedResult(second) },
  ] as const;
  for (const line of comparisonLines(...files, compareResults(...files))) console.log(oneLine(line));
}

interface Measurement {
  readonly file: string;
  readonly result: BreakEvenResult;
}

/** Runs all trials that are missing. When it is interrupted it says how to go on and ends this process. */
async function measure(argv: Values): Promise<Measurement> {
  const trialTimeoutMs = trialTimeoutOf(argv["trial-timeout"]);
  const progress = sweepProgress(process.stderr, describe);
  let begun: Measurement | undefined;
  const hint = () => (begun === undefined ? null : called(`break-even --resume ${quoted(begun.file)}`));
  return await interruptibly(progress, hint, async (signal) => {
    begun = argv["resume"] === undefined ? await begin(argv, trialTimeoutMs, signal) : await resume(argv);
    const { file, result } = begun;
    return { file, result: await continueBreakEven(file, result, trialTimeoutMs, progress, signal) };
  });
}

function describe(trial: PlannedPoint): string {
  return `${trial.pass === 0 ? "" : "refined "}block ${trial.block + 1}, ${costText(trial.costMicros)}, ${loadText(trial)}, ${trial.core}`;
}

async function begin(argv: Values, timeoutMs: number, signal: AbortSignal): Promise<Measurement> {
  const plan = breakEvenPlanOf(argv, pinningFacts());
  const name = text("name", argv["name"] ?? "break-even");
  if (!/^\w[\w.-]*$/.test(name)) {
    throw usageError(`--name may have letters, digits, "_", and after the first also "." and "-", not "${name}"`);
  }
  checkOpenFiles(Math.max(...plan.concurrencies));
  const [coarse] = plan.passes;
  const checked = await checkTargets(sweepPlanOf(plan, coarse!.points[0]!, plan.coarseBlocks), timeoutMs, signal);
  const result = beginBreakEven({ name, command: commandOf(argv), plan, packageFolder: packageRoot }, checked);
  const file = await createResultFile(outputFolder("results", optional("out", argv)), result);
  const trials = missingPoints(plan, []).length;
  for (const { pinning } of plan.serverCpus) console.error(oneLine(pinning.reason));
  console.error(
    oneLine(
      `About ${roughly(estimatedSeconds(plan, coarse!, startSeconds(checked.probes)))} for ${counted(trials, "trial")}, ` +
        `then some around each crossing; each is written to ${file}.`,
    ),
  );
  return { file, result };
}

function startSeconds(probes: readonly Probe[]): number {
  return (STARTS * probes.reduce((sum, { startMs }) => sum + startMs, 0)) / Math.max(1, probes.length) / 1000;
}

async function resume(argv: Values): Promise<Measurement> {
  const file = text("resume", argv["resume"]);
  refuse(argv, { ...breakEvenOptions, ...resultOptions }, `--resume ${file} goes on as it was begun`);
  const result = await readBreakEven(file);
  const { plan, trials } = result;
  const missing = missingPoints(plan, trials).length;
  if (missing === 0) return { file, result };
  const unknown =
    plan.cores.find((core) => !modes.includes(core)) ??
    [plan.adapter].find((one) => !adapters.some((known) => known === one));
  if (unknown !== undefined) throw usageError(`--resume ${file}: there is no "${unknown}" here: measure anew`);
  const changes = changesSince(result.environment, packageRoot);
  if (changes.length > 0) {
    throw usageError(
      `--resume ${file}: its trials cannot be compared with ones made here (${changes.join("; ")}): measure anew`,
    );
  }
  for (const { pinning } of plan.serverCpus) {
    const { server, generator } = pinning;
    if (server !== null && generator !== null) {
      resolvePinning(`${server}:${generator}`, { path: "/cpu", handlers: null }, pinningFacts());
    }
  }
  checkOpenFiles(Math.max(...plan.concurrencies));
  console.error(oneLine(`${counted(missing, "trial")} are missing in ${file}.`));
  return { file, result };
}

function refuse(argv: Values, options: Readonly<Record<string, unknown>>, why: string): void {
  const given = Object.keys(options).find((flag) => argv[flag] !== undefined);
  if (given !== undefined) throw usageError(`${why}: leave out --${given}`);
}

function optional(flag: string, argv: Values): string | undefined {
  return argv[flag] === undefined ? undefined : text(flag, argv[flag]);
}

/** The command as a user would type it: the flags that were given. */
function commandOf(argv: Values): string {
  const flags = Object.keys({ ...breakEvenOptions, ...resultOptions, ...runOptions })
    .filter((name) => argv[name] !== undefined)
    .map((name) => `--${name} ${quoted(String(argv[name]))}`);
  return called(["break-even", ...flags].join(" "));
}
