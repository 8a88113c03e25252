import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compressed, Histogram } from "../load/histogram/histogram.js";
import type { Driver, DriverOptions } from "./driver.js";
import { type EndedTool, failureOf, runTool } from "./process.js";
import { requestOf, withBodyFile } from "./request.js";
import type { ToolHistogram } from "./result.js";
import { type Reported, toolResult } from "./tool-result.js";

const install = "apt-get install nghttp2-client";
const nsPer: Readonly<Record<string, number>> = { us: 1e3, ms: 1e6, s: 1e9 };

const caveats = [
  "Closed loop: a server that stalls is asked less (coordinated omission).",
  'h2load\'s "succeeded" holds statuses from 300 to 399; here only 2xx counts.',
  "h2load does not connect again after an error: the connection's other requests fail with it.",
  "socket-error: every failure of a connection, the requests given up with it included; h2load does not tell them apart.",
  "h2load writes every request to a log for the percentiles, which it does not tell otherwise: about an eighth more CPU time per request.",
  "Latencies count from the request written: no time to connect is in them.",
];

/** h2load of nghttp2 (https://nghttp2.org/documentation/h2load.1.html), speaking HTTP/1.1, on one thread unless asked for more. */
export const h2load: Driver = {
  name: "h2load",
  capabilities: {
    ends: ["requests", "duration"],
    durationStepMs: 1,
    timeoutStepMs: 1,
    newConnections: false,
    threads: true,
    methods: ["GET"],
    bodies: ["POST"],
    binaryBodies: true,
  },
  caveats,

  async version() {
    const { output } = await runTool({ command: ["h2load", "--version"], install, cpus: null });
    return /nghttp2\/(\S+)/.exec(output)?.[1] ?? "unknown";
  },

  async run(options, signal) {
    const version = await this.version();
    const folder = await mkdtemp(join(tmpdir(), "loopool-h2load-"));
    try {
      const log = join(folder, "requests.tsv");
      const startedAt = new Date().toISOString();
      const ended = await withBodyFile(options, (file) =>
        runTool({ command: commandOf(options, log, file), install, cpus: options.cpus ?? null }, signal),
      );
      // Without a log it has ended before its first request, and its report says why.
      const file = await open(log).catch(() => null);
      const reported = parseH2load(ended, await logged(file?.readLines() ?? []), options);
      return toolResult(options, reported, {
        name: "h2load",
        version,
        startedAt,
        ended,
        output: ended.output,
        caveats: reported.latency.total === null && reported.completed > 0 ? [...caveats, INCOMPLETE] : caveats,
        uncountedAtMost: (options.durationMs ?? null) === null ? 0 : options.concurrency,
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};

const INCOMPLETE = "No latencies: h2load's log does not hold as many successes as its report.";

/** `body` is a file with the request's body, which makes it a POST; null: it has none. */
function commandOf(options: DriverOptions, log: string, body: string | null): readonly string[] {
  const { target, requests, durationMs = null, concurrency, timeoutMs, threads = 1 } = options;
  const { headers } = requestOf(options);
  return [
    "h2load",
    ...["--h1", "-t", String(threads), "-c", String(concurrency)],
    ...(durationMs === null ? ["-n", String(requests)] : ["-D", `${durationMs}ms`]),
    ...["-N", `${timeoutMs}ms`, `--log-file=${log}`],
    ...(body === null ? [] : ["-d", body]),
    ...headers.flatMap(([name, value]) => ["-H", `${name}: ${value}`]),
    target.url,
  ];
}

/** The latencies of 2xx responses in h2load's log: start in µs, status, µs until the end of the response. */
export async function logged(lines: AsyncIterable<string> | Iterable<string>): Promise<ToolHistogram> {
  const histogram = new Histogram();
  for await (const line of lines) {
    const [, status, micros] = line.split("\t").map(Number);
    if (status! >= 200 && status! <= 299) histogram.record(micros! * 1000);
  }
  return { ...compressed(histogram.toStored()), resolutionMicros: 1 };
}

/** What h2load reported: its report, and the latencies of its log. */
export function parseH2load(
  ended: EndedTool,
  times: ToolHistogram,
  { target, durationMs = null, requests }: DriverOptions,
): Reported {
  const { output } = ended;
  const counts =
    /^requests: (\d+) total, (\d+) started, (\d+) done, (\d+) succeeded, \d+ failed, (\d+) errored, (\d+) timeout$/m.exec(
      output,
    );
  const statuses = /^status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx$/m.exec(output);
  const finished = /^finished in ([\d.]+)(us|ms|s), ([\d.]+) req\/s/m.exec(output);
  const traffic = /^traffic: \S+ \((\d+)\) total, .* \((\d+)\) data$/m.exec(output);
  if (counts === null || statuses === null || finished === null) throw failureOf("h2load", target.url, ended);
  const [, , done, succeeded, errored, timedOut] = counts.slice(1).map(Number);
  // The counts by status hold responses that were cut, too.
  const completed = Math.max(0, succeeded! - Number(statuses[2]));
  const own = completed > 0 && times.count === completed ? times : null;
  const rate = Number(finished[3]);
  return {
    completed,
    errors: {
      "unexpected-status": done! - completed,
      timeout: timedOut!,
      "socket-error": (durationMs === null ? requests - done! : errored!) - timedOut!,
    },
    // The rate has more digits than the time.
    elapsedSeconds: rate > 0 ? done! / rate : (Number(finished[1]) * nsPer[finished[2]!]!) / 1e9,
    totalBytes: traffic === null ? null : Number(traffic[1]),
    bodyBytes: traffic === null ? null : Number(traffic[2]),
    latency: {
      processing: own,
      // All but the first request of a connection have no time to connect.
      total: own,
    },
  };
}
