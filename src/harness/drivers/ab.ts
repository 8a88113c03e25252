import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Driver, DriverOptions } from "./driver.js";
import { type EndedTool, failureOf, runTool } from "./process.js";
import { requestOf, withBodyFile } from "./request.js";
import type { ToolPercentiles, ToolResult } from "./result.js";
import { type Reported, toolResult } from "./tool-result.js";

const install = "apt-get install apache2-utils";

/** With a time limit ab still wants a number, for which it sets memory aside: more than one thread of it can send. */
const MAX_REQUESTS_PER_SECOND = 200_000;
const NS_PER_MS = 1e6;

const caveats = [
  "Closed loop: a server that stalls is asked less (coordinated omission).",
  "ab speaks HTTP/1.0: a server of HTTP/1.1 only answers every request with an error, and keep-alive must be agreed to by the server.",
  "ab's \"Complete requests\" and its requests per second hold errors; here only whole 2xx responses of the first one's length count.",
  "ab does not compare bodies with their Content-Length: bodies that are all cut at the same place count as successes.",
  "ab does not tell a connection closed without an answer from an answer with an empty body: neither counts as a success.",
  "socket-error: ab's failures of a connection (Connect, Receive, Exceptions).",
  "Connection times, and the mean of the total, are reported in whole milliseconds.",
];

/** ApacheBench (https://httpd.apache.org/docs/2.4/programs/ab.html), on its one thread. */
export const ab: Driver = {
  name: "ab",
  capabilities: {
    ends: ["requests", "duration", "either"],
    durationStepMs: 1000,
    timeoutStepMs: 1000,
    newConnections: true,
    threads: false,
    methods: "all",
    bodies: ["POST", "PUT"],
    binaryBodies: true,
  },
  caveats,

  async version() {
    const { output } = await runTool({ command: ["ab", "-V"], install, cpus: null });
    return /Version (\S+)/.exec(output)?.[1] ?? "unknown";
  },

  async run(options, signal) {
    const version = await this.version();
    const folder = await mkdtemp(join(tmpdir(), "loopool-ab-"));
    try {
      const file = join(folder, "percentiles.csv");
      const startedAt = new Date().toISOString();
      const ended = await withBodyFile(options, (body) =>
        runTool({ command: commandOf(options, file, body), install, cpus: options.cpus ?? null }, signal),
      );
      const reported = parseAb(ended, await readFile(file, "utf8").catch(() => ""), options);
      return toolResult(options, reported, {
        name: "ab",
        version,
        startedAt,
        ended,
        output: ended.output,
        caveats: reported.latency.total === null && reported.completed > 0 ? [...caveats, MIXED] : caveats,
        uncountedAtMost: (options.durationMs ?? null) === null ? 0 : options.concurrency,
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};

const MIXED = "No latencies: ab mixes those of failures with the others.";

/** `body` is a file with the request's body; null: it has none. */
function commandOf(options: DriverOptions, file: string, body: string | null): readonly string[] {
  const { target, requests, durationMs = null, concurrency, keepAlive, timeoutMs } = options;
  const request = requestOf(options);
  // ab has a flag of its own for the type of a body, and sends text/plain beside one that is given as a field.
  const isType = ([name]: readonly [string, string]): boolean => body !== null && /^content-type$/i.test(name);
  const type = request.headers.find(isType)?.[1];
  const headers = request.headers.filter((field) => !isType(field));
  const seconds = durationMs === null ? [] : ["-t", String(durationMs / 1000)];
  const most = Number.isFinite(requests)
    ? requests
    : Math.max(concurrency, (durationMs! / 1000) * MAX_REQUESTS_PER_SECOND);
  return [
    "ab",
    // -r: an error on a socket is one failed request, not the end. -n after -t, which sets it too.
    ...["-q", "-r", ...seconds, "-n", String(most), "-c", String(concurrency), "-s", String(timeoutMs / 1000)],
    ...(keepAlive ? ["-k"] : []),
    ...(options.variableLength === true ? ["-l"] : []),
    ...(body === null ? methodFlags(request.method) : [request.method === "PUT" ? "-u" : "-p", body]),
    ...(type === undefined ? [] : ["-T", type]),
    ...headers.flatMap(([name, value]) => ["-H", `${name}: ${value}`]),
    ...["-e", file, target.url],
  ];
}

/** Of a request without a body: -i has no body of the response waited for. */
function methodFlags(method: string): readonly string[] {
  if (method === "GET") return [];
  return method === "HEAD" ? ["-i"] : ["-m", method];
}

/** What ab reported: its report, and the percentiles that `-e` writes. */
export function parseAb(ended: EndedTool, csv: string, { target }: DriverOptions): Reported {
  const value = (label: string): number | null => {
    const found = new RegExp(`^${label}: +([\\d.]+)`, "m").exec(ended.output)?.[1];
    return found === undefined ? null : Number(found);
  };
  const whole = value("Complete requests");
  if (whole === null) throw failureOf("ab", target.url, ended);
  const failed = { socket: 0, length: 0 };
  const classes = /^ +\(Connect: (\d+), Receive: (\d+), Length: (\d+), Exceptions: (\d+)\)$/m.exec(ended.output);
  if (classes !== null) {
    const [connect, receive, length, exceptions] = classes.slice(1).map(Number);
    failed.socket = connect! + receive! + exceptions!;
    failed.length = length!;
  }
  // One request may be counted in several of ab's classes: each is taken for another request, so that no failure passes for a success.
  const unexpected = Math.min(value("Non-2xx responses") ?? 0, whole);
  const socket = Math.min(failed.socket, whole - unexpected);
  const wrongLength = Math.min(failed.length, whole - unexpected - socket);
  const rest = whole - unexpected - socket - wrongLength;
  const empty = value("Document Length") === 0 ? rest : 0;
  const completed = rest - empty;
  const rate = value("Requests per second") ?? 0;
  return {
    completed,
    errors: {
      "unexpected-status": unexpected,
      "socket-error": socket,
      "wrong-length": wrongLength,
      "closed-early": empty,
    },
    // The rate has more digits than the time.
    elapsedSeconds: rate > 0 ? whole / rate : (value("Time taken for tests") ?? 0),
    keepAliveResponses: value("Keep-Alive requests"),
    serverSoftware: /^Server Software: +(\S.*)$/m.exec(ended.output)?.[1] ?? "",
    documentBytes: value("Document Length"),
    totalBytes: value("Total transferred"),
    bodyBytes: value("HTML transferred"),
    latency: completed === whole && completed > 0 ? latencies(ended.output, csv, completed) : { total: null },
  };
}

function latencies(output: string, csv: string, count: number): Partial<ToolResult["latency"]> {
  const row = (name: string): ToolPercentiles | null => {
    const found = new RegExp(`^${name}: +([\\d.]+) +([\\d.]+) +([\\d.]+) +([\\d.]+) +([\\d.]+)$`, "m").exec(output);
    if (found === null) return null;
    const [min, mean, deviation, median, max] = found.slice(1).map((text) => Number(text) * NS_PER_MS);
    return {
      unit: "ns",
      count,
      min: min!,
      max: max!,
      mean: mean!,
      standardDeviation: deviation!,
      percentiles: [[50, median!]],
      resolutionMicros: 1000,
      meanResolutionMicros: 1000,
    };
  };
  const total = row("Total");
  const points = [...csv.matchAll(/^(\d+),([\d.]+)$/gm)].map(
    ([, percentile, ms]) => [Number(percentile), Math.round(Number(ms) * NS_PER_MS)] as const,
  );
  const min = points.find(([percentile]) => percentile === 0)?.[1];
  const max = points.find(([percentile]) => percentile === 100)?.[1];
  return {
    connect: row("Connect"),
    processing: row("Processing"),
    waiting: row("Waiting"),
    total:
      total === null || min === undefined || max === undefined
        ? total
        : {
            ...total,
            min,
            max,
            percentiles: points.filter(([percentile]) => percentile > 0 && percentile < 100),
            resolutionMicros: 1,
          },
  };
}
