import type { Driver, DriverOptions } from "./driver.js";
import { type EndedTool, failureOf, runTool } from "./process.js";
import { requestOf, withBodyFile } from "./request.js";
import type { ToolPercentiles } from "./result.js";
import { type Reported, toolResult } from "./tool-result.js";

const install = "cargo install oha, or see https://github.com/hatoo/oha#installation";
const NS_PER_SECOND = 1e9;
/** What oha calls the requests that were under way when its time was up: no failure of the server. */
const DEADLINE = "aborted due to deadline";

const caveats = [
  "Closed loop: a server that stalls is asked less (coordinated omission).",
  'oha\'s "success rate" and its requests per second hold statuses outside 2xx; here only 2xx counts.',
  "socket-error: what oha's list of errors names neither refused nor a timeout.",
  "oha sends an Accept and an Accept-Encoding field of its own.",
];

/**
 * oha (https://github.com/hatoo/oha): this reads its JSON as schema.json and src/printer.rs of its repository have it at 1.16, and as
 * `--output-format json` writes it. On one worker thread unless asked for more.
 */
export const oha: Driver = {
  name: "oha",
  capabilities: {
    ends: ["requests", "duration"],
    durationStepMs: 1,
    timeoutStepMs: 1,
    newConnections: true,
    threads: true,
    methods: "all",
    bodies: "all",
    binaryBodies: true,
  },
  caveats,

  async version() {
    const { output } = await runTool({ command: ["oha", "--version"], install, cpus: null });
    return /^oha (\S+)/.exec(output)?.[1] ?? "unknown";
  },

  async run(options, signal) {
    const version = await this.version();
    const startedAt = new Date().toISOString();
    const environment = { TOKIO_WORKER_THREADS: String(options.threads ?? 1) };
    const ended = await withBodyFile(options, (file) =>
      runTool({ command: commandOf(options, file), install, environment, cpus: options.cpus ?? null }, signal),
    );
    return toolResult(options, parseOha(ended, options), {
      name: "oha",
      version,
      startedAt,
      ended,
      output: ended.output,
      caveats,
      uncountedAtMost: (options.durationMs ?? null) === null ? 0 : options.concurrency,
    });
  },
};

/** `file` holds the body; null: there is none. */
function commandOf(options: DriverOptions, file: string | null) {
  const { target, requests, durationMs = null, concurrency, keepAlive, timeoutMs } = options;
  const { method, headers } = requestOf(options);
  return [
    "oha",
    // A redirection is reported, not followed.
    ...["--no-tui", "--output-format", "json", "--stats-success-breakdown", "--redirect", "0"],
    ...["-c", String(concurrency), "-t", `${timeoutMs}ms`],
    ...(durationMs === null ? ["-n", String(requests)] : ["-z", `${durationMs}ms`]),
    ...(keepAlive ? [] : ["--disable-keepalive"]),
    ...(method === "GET" ? [] : ["-m", method]),
    ...(file === null ? [] : ["-D", file]),
    ...headers.flatMap(([name, value]) => ["-H", `${name}: ${value}`]),
    target.url,
  ];
}

/** Seconds, by "p50", "p99.9", …; null where there are no values. */
type Percentiles = Readonly<Record<string, number | null>>;

/** What is read of oha's JSON. */
interface Report {
  readonly summary: {
    readonly total: number;
    readonly slowest: number | null;
    readonly fastest: number | null;
    readonly average: number | null;
    /** Bytes of bodies. */
    readonly totalData: number;
  };
  readonly latencyPercentilesSuccessful?: Percentiles;
  readonly statusCodeDistribution: Readonly<Record<string, number>>;
  readonly errorDistribution: Readonly<Record<string, number>>;
}

/** What oha reported. */
export function parseOha(ended: EndedTool, { target }: DriverOptions): Reported {
  let report: Report;
  try {
    report = JSON.parse(ended.output) as Report;
  } catch {
    throw failureOf("oha", target.url, ended);
  }
  const { summary, statusCodeDistribution: statusCounts, errorDistribution } = report;
  const sum = (entries: readonly (readonly [string, number])[]): number =>
    entries.reduce((all, [, count]) => all + count, 0);
  const statuses = Object.entries(statusCounts);
  const completed = sum(statuses.filter(([status]) => /^2\d\d$/.test(status)));
  const failures = Object.entries(errorDistribution).filter(([message]) => message !== DEADLINE);
  const refused = sum(failures.filter(([message]) => /refused/i.test(message)));
  const timedOut = sum(failures.filter(([message]) => /time(d )?\s?out/i.test(message)));
  const unexpected = sum(statuses) - completed;
  return {
    completed,
    errors: {
      "connect-refused": refused,
      timeout: timedOut,
      "socket-error": sum(failures) - refused - timedOut,
      "unexpected-status": unexpected,
    },
    statusCounts,
    elapsedSeconds: summary.total,
    bodyBytes: summary.totalData,
    latency: { total: totalOf(report, completed, unexpected === 0) },
  };
}

/** Percentiles are of the successes; mean and extremes are of all responses, so they are taken only where all were successes. */
function totalOf(
  { summary, latencyPercentilesSuccessful = {} }: Report,
  count: number,
  allGood: boolean,
): ToolPercentiles | null {
  if (count === 0) return null;
  const ns = (seconds: number | null): number | null =>
    seconds === null || !allGood ? null : Math.round(seconds * NS_PER_SECOND);
  return {
    unit: "ns",
    count,
    min: ns(summary.fastest),
    max: ns(summary.slowest),
    mean: ns(summary.average),
    standardDeviation: null,
    percentiles: Object.entries(latencyPercentilesSuccessful)
      .flatMap(([key, seconds]) =>
        seconds === null ? [] : [[Number(key.slice(1)), Math.round(seconds * NS_PER_SECOND)] as const],
      )
      .sort(([a], [b]) => a - b),
    resolutionMicros: 0.001,
    meanResolutionMicros: 0.001,
  };
}
