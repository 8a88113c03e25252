import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compressed, Histogram } from "../load/histogram/histogram.js";
import type { Driver, DriverOptions } from "./driver.js";
import { refuseRedirects } from "./probe.js";
import { type EndedTool, failureOf, runTool } from "./process.js";
import { requestOf } from "./request.js";
import type { ToolHistogram } from "./result.js";
import { type Reported, toolResult } from "./tool-result.js";
import { asRecorded, type Counts } from "./wrk-histogram.js";

const install = "apt-get install wrk";
const MARK = "loopool ";

/**
 * Prints wrk's counters and its whole histogram behind its report. The histogram is read through LuaJIT's ffi where its layout is the one
 * of wrk 4 (`count, limit, min, max, data[]`, all 64 bits): wrk's own `latency(i)` looks for every value from the start, minutes for
 * latencies that spread over a second.
 */
const script = `
local function values(latency)
  local found = {}
  local function add(value, count) found[#found + 1] = string.format("%d,%d", value, count) end
  local ok, ffi = pcall(require, "ffi")
  if ok then
    ffi.cdef("typedef struct { uint64_t count, limit, min, max, data[?]; } loopool_stats;")
    local stats = ffi.cast("loopool_stats **", latency)[0]
    if tonumber(stats.min) == latency.min and tonumber(stats.max) == latency.max and stats.limit > stats.max then
      for value = latency.min, latency.max do
        if stats.data[value] > 0 then add(value, tonumber(stats.data[value])) end
      end
      return found
    end
  end
  for i = 1, #latency do add(latency(i)) end
  return found
end

function done(summary, latency, requests)
  local errors = summary.errors
  print(string.format(
    '${MARK}{"durationMicros":%d,"requests":%d,"bytes":%d,"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d,"counts":[%s]}',
    summary.duration, summary.requests, summary.bytes,
    errors.connect, errors.read, errors.write, errors.status, errors.timeout,
    summary.requests > 0 and table.concat(values(latency), ",") or ""
  ))
end
`;

/** What the script prints. */
interface Summary {
  readonly durationMicros: number;
  readonly requests: number;
  readonly bytes: number;
  readonly connect: number;
  readonly read: number;
  readonly write: number;
  readonly status: number;
  /** Responses that came later than the timeout: in `requests`, not in the histogram. */
  readonly timeout: number;
  /** Value in µs, count, value, count, … */
  readonly counts: readonly number[];
}

const caveats = [
  "Closed loop: a server that stalls is asked less (coordinated omission).",
  "wrk's own report adds latencies that no request had to correct for that; here they are taken back.",
  "A status from 300 to 399 counts as a success; the target was asked once beforehand that it does not answer so.",
  "A request that is never answered counts as nothing; only an answer that comes too late is a timeout.",
  "socket-error: wrk's read and write errors, which it does not tell apart (reset, closed early, short or malformed response).",
  "Latencies count from the request written: no time to connect is in them.",
];

/** wrk (https://github.com/wg/wrk), on one thread unless asked for more. */
export const wrk: Driver = {
  name: "wrk",
  capabilities: {
    ends: ["duration"],
    durationStepMs: 1000,
    timeoutStepMs: 1000,
    newConnections: true,
    threads: true,
    methods: "all",
    bodies: "all",
    binaryBodies: true,
  },
  caveats,

  async version() {
    const { output, errors } = await runTool({ command: ["wrk", "-v"], install, cpus: null });
    return /^wrk (?:debian\/)?(\S+)/.exec(output + errors)?.[1] ?? "unknown";
  },

  async run(options, signal) {
    const version = await this.version();
    await refuseRedirects("wrk", options);
    const folder = await mkdtemp(join(tmpdir(), "loopool-wrk-"));
    try {
      const file = join(folder, "report.lua");
      await writeFile(file, requestScript(options) + script);
      const startedAt = new Date().toISOString();
      const ended = await runTool({ command: commandOf(options, file), install, cpus: options.cpus ?? null }, signal);
      const { reported, output, lost } = parseWrk(ended, options);
      return toolResult(options, reported, {
        name: "wrk",
        version,
        startedAt,
        ended,
        output,
        caveats: lost === null ? caveats : [...caveats, lost],
        // And the one that asked beforehand.
        uncountedAtMost: options.concurrency + 1,
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};

/** Method and body, for wrk to send; nothing for a GET. Every byte of a body is written as its number. */
function requestScript(options: DriverOptions): string {
  const { method, body } = requestOf(options);
  const quoted = (bytes: Uint8Array): string =>
    `"${Array.from(bytes, (byte) => `\\${String(byte).padStart(3, "0")}`).join("")}"`;
  if (method === "GET" && body === null) return "";
  return `wrk.method = "${method}"\n${body === null ? "" : `wrk.body = ${quoted(body)}\n`}`;
}

function commandOf(options: DriverOptions, file: string) {
  const { target, concurrency, durationMs, timeoutMs, threads = 1, keepAlive } = options;
  const fields = [...requestOf(options).headers, ...(keepAlive ? [] : [["Connection", "close"] as const])];
  return [
    "wrk",
    ...["-t", String(threads), "-c", String(concurrency), "-d", `${durationMs! / 1000}s`],
    ...["--timeout", `${timeoutMs / 1000}s`, "--latency", "-s", file],
    ...fields.flatMap(([name, value]) => ["-H", `${name}: ${value}`]),
    target.url,
  ];
}

/** What wrk reported, its own report, and why there are no latencies where there should be some. */
export function parseWrk(
  ended: EndedTool,
  { concurrency, keepAlive, target }: DriverOptions,
): { readonly reported: Reported; readonly output: string; readonly lost: string | null } {
  const mark = ended.output.lastIndexOf(`\n${MARK}`);
  if (mark < 0) throw failureOf("wrk", target.url, ended);
  const found = JSON.parse(ended.output.slice(mark + 1 + MARK.length)) as Summary;
  const recorded = found.requests - found.timeout;
  const unexpected = Math.min(found.status, recorded);
  const completed = recorded - unexpected;

  const counts: Counts = Array.from({ length: found.counts.length / 2 }, (_, i) => [
    found.counts[2 * i]!,
    found.counts[2 * i + 1]!,
  ]);
  // wrk's own integer arithmetic (main, before it prints).
  const perConnection = Math.floor(found.requests / concurrency);
  const expected = perConnection > 0 ? Math.floor(found.durationMicros / perConnection) : 0;
  const own = unexpected > 0 || completed === 0 ? null : asRecorded(counts, expected, recorded);
  const times = own === null ? null : histogramOf(own);
  return {
    reported: {
      completed,
      errors: {
        "connect-failed": found.connect,
        "socket-error": found.read + found.write,
        timeout: found.timeout,
        "unexpected-status": unexpected,
      },
      totalBytes: found.bytes,
      elapsedSeconds: found.durationMicros / 1e6,
      // With keep-alive all but the first request of a connection have no time to connect.
      latency: { processing: times, total: keepAlive ? times : null },
    },
    output: ended.output.slice(0, mark + 1),
    lost: lostReason(completed, unexpected, times),
  };
}

function lostReason(completed: number, unexpected: number, times: ToolHistogram | null): string | null {
  if (completed === 0 || times !== null) return null;
  return unexpected > 0
    ? "No latencies: wrk mixes those of unexpected statuses with the others."
    : "No latencies: what wrk added to its histogram could not be taken back.";
}

function histogramOf(counts: Counts): ToolHistogram {
  const histogram = new Histogram();
  for (const [micros, count] of counts) {
    for (let i = 0; i < count; i++) histogram.record(micros * 1000);
  }
  return { ...compressed(histogram.toStored()), resolutionMicros: 1 };
}
