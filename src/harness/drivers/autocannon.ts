import { readFile } from "node:fs/promises";
import { LoopoolError } from "../../shared/errors.js";
import type { Driver, DriverOptions } from "./driver.js";
import { installedFile } from "./installed.js";
import { type EndedTool, failureOf, runTool } from "./process.js";
import { requestOf, withBodyFile } from "./request.js";
import type { ToolPercentiles } from "./result.js";
import { type Reported, toolResult } from "./tool-result.js";

const install = "npm install --save-dev autocannon";
const NS_PER_MS = 1e6;

const caveats = [
  "Closed loop: a server that stalls is asked less (coordinated omission).",
  "Latencies are whole milliseconds, rounded down, and the shortest is not reported.",
  "A body shorter than its Content-Length is filled with the bytes of the next response, and counts as a success.",
  "closed-early: requests that were sent and have neither a response nor an error in autocannon's report, which calls them nothing.",
  "socket-error: autocannon's errors other than timeouts, refused connections among them.",
];

/** autocannon (https://github.com/mcollina/autocannon), the package of the user's project or beside this one, on one thread of a process of its own. */
export const autocannon: Driver = {
  name: "autocannon",
  capabilities: {
    ends: ["requests", "duration"],
    durationStepMs: 1000,
    timeoutStepMs: 1,
    newConnections: false,
    threads: false,
    methods: "all",
    bodies: "all",
    binaryBodies: false,
  },
  caveats,

  async version() {
    const { version } = JSON.parse(await readFile(resolved("autocannon/package.json"), "utf8")) as { version: string };
    return version;
  },

  async run(options, signal) {
    const version = await this.version();
    const startedAt = new Date().toISOString();
    const ended = await withBodyFile(options, (file) =>
      runTool({ command: commandOf(options, file), install, cpus: options.cpus ?? null }, signal),
    );
    const reported = parseAutocannon(ended, options);
    return toolResult(options, reported, {
      name: "autocannon",
      version,
      startedAt,
      ended,
      output: ended.output,
      caveats,
      uncountedAtMost: (options.durationMs ?? null) === null ? 0 : options.concurrency,
    });
  },
};

function resolved(module: string): string {
  const file = installedFile(module);
  if (file === null) throw new LoopoolError("NO_TOOL", `autocannon is not installed: ${install}`);
  return file;
}

/** `file` holds the body; null: there is none. */
function commandOf(options: DriverOptions, file: string | null) {
  const { target, requests, durationMs = null, concurrency, timeoutMs } = options;
  const { method, headers } = requestOf(options);
  return [
    process.execPath,
    resolved("autocannon"),
    // It looks for its end once in a sample: with its default, a second, a run of counted requests would seem to take as long.
    ...["--json", "--no-progress", "--excludeErrorStats", "--sampleInt", "10"],
    ...["--connections", String(concurrency), "--timeout", String(timeoutMs / 1000)],
    ...(durationMs === null ? ["--amount", String(requests)] : ["--duration", String(durationMs / 1000)]),
    ...(method === "GET" ? [] : ["--method", method]),
    ...(file === null ? [] : ["--input", file]),
    ...headers.flatMap(([name, value]) => ["--headers", `${name}: ${value}`]),
    target.url,
  ];
}

/** What is read of autocannon's JSON; times in ms. */
interface Report {
  readonly start: string;
  readonly finish: string;
  readonly errors: number;
  /** Among the errors. */
  readonly timeouts: number;
  readonly non2xx: number;
  readonly "2xx": number;
  readonly statusCodeStats: Readonly<Record<string, { readonly count: number }>>;
  /** `mean`, `stddev`, `max`, `p50`, `p97_5`, …, of 2xx responses only. */
  readonly latency: Readonly<Record<string, number>>;
  readonly requests: { readonly sent: number };
  /** Bytes, of 2xx responses only. */
  readonly throughput: { readonly total: number };
}

/** What autocannon reported. */
export function parseAutocannon(ended: EndedTool, { target, concurrency, durationMs = null }: DriverOptions): Reported {
  let report: Report;
  try {
    report = JSON.parse(ended.output) as Report;
  } catch {
    throw failureOf("autocannon", target.url, ended);
  }
  const completed = report["2xx"];
  const unanswered = Math.max(0, report.requests.sent - completed - report.non2xx - report.errors);
  // When its time is up, every connection has one request under way.
  const underWay = durationMs === null ? 0 : Math.min(unanswered, concurrency);
  return {
    completed,
    errors: {
      "unexpected-status": report.non2xx,
      timeout: report.timeouts,
      "socket-error": report.errors - report.timeouts,
      "closed-early": unanswered - underWay,
    },
    statusCounts: Object.fromEntries(
      Object.entries(report.statusCodeStats).map(([status, { count }]) => [status, count]),
    ),
    elapsedSeconds: (Date.parse(report.finish) - Date.parse(report.start)) / 1000,
    totalBytes: report.non2xx === 0 ? report.throughput.total : null,
    latency: { processing: latencyOf(report), total: latencyOf(report) },
  };
}

function latencyOf({ latency, "2xx": count }: Report): ToolPercentiles | null {
  if (count === 0) return null;
  const points = Object.entries(latency).flatMap(([key, ms]) => {
    const percentile = /^p(\d+(?:_\d+)?)$/.exec(key)?.[1]?.replace("_", ".");
    return percentile === undefined ? [] : [[Number(percentile), ms * NS_PER_MS] as const];
  });
  return {
    unit: "ns",
    count,
    // hdr-histogram's smallest value that is not 0.
    min: null,
    max: latency["max"]! * NS_PER_MS,
    mean: latency["mean"]! * NS_PER_MS,
    standardDeviation: latency["stddev"]! * NS_PER_MS,
    percentiles: points.sort(([a], [b]) => a - b),
    resolutionMicros: 1000,
    meanResolutionMicros: 1000,
  };
}
