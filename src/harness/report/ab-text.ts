import { oneLine } from "../../shared/terminal-text.js";
import { latencyOf } from "../drivers/latency.js";
import { completedInWindow, requestsPerSecond, windowSeconds, workSeconds } from "../drivers/rate.js";
import type { GeneratorResult } from "../drivers/result.js";
import { Histogram } from "../load/histogram/histogram.js";
import { type ErrorClass, errorClasses, type OpenLoopResult, unsentClasses } from "../load/result/run-result.js";

const PERCENTILES = [50, 66, 75, 80, 90, 95, 98, 99] as const;

/**
 * A run in the words, order and units of ApacheBench 2.3, so that what parses ab's report parses this one.
 *
 * ab's terms: "Complete requests" are whole responses of any status, and "Failed" are, beside what failed on the way, whole
 * responses whose length differs from the first one's; a status outside 2xx is told apart, not failed. Three things differ on
 * purpose. Rates and times are of the requests that succeeded: ab calls a server fast that answers everything with an error.
 * "Time taken for tests" is the measured window, and rates are of what was completed in it: what was under way at its end is among the
 * complete requests and in the latencies, and a line at the end says how many these were; ab divides by the wait for them.
 * Latencies have three decimals where ab rounds to whole milliseconds, since on one machine most of them would be 0. What ab has
 * no word for (each class of error) follows at the end. Of another generator's result a line is left out whose value it does not tell.
 */
export function abReport(result: GeneratorResult): string {
  const count = (...classes: readonly ErrorClass[]): number =>
    classes.reduce((sum, errorClass) => sum + result.errors[errorClass], 0);
  const connect = count(...unsentClasses);
  const receive = count("reset", "closed-early", "timeout", "short-body");
  const length = count("wrong-length", "wrong-body");
  const exceptions = count("malformed", "long-body", "socket-error");
  const unexpected = count("unexpected-status");
  const failed = connect + receive + length + exceptions;

  return `${[
    "",
    field("Server Software", result.serverSoftware ?? ""),
    field("Server Hostname", result.host),
    field("Server Port", result.port),
    "",
    field("Document Path", result.path),
    ...told("Document Length", result.documentBytes, (bytes) => `${bytes} bytes`),
    "",
    field("Concurrency Level", result.concurrency),
    field("Time taken for tests", `${windowSeconds(result).toFixed(3)} seconds`),
    field("Complete requests", result.completed + length + unexpected),
    field("Failed requests", failed),
    ...(failed > 0
      ? [`   (Connect: ${connect}, Receive: ${receive}, Length: ${length}, Exceptions: ${exceptions})`]
      : []),
    ...(unexpected > 0 ? [field("Non-2xx responses", unexpected)] : []),
    ...(result.keepAlive ? told("Keep-Alive requests", result.keepAliveResponses, String) : []),
    ...told("Total transferred", result.totalBytes, (bytes) => `${bytes} bytes`),
    ...(result.requestBodyBytes === undefined
      ? []
      : [field("Total body sent", result.requestBodyBytes * (result.sent - count(...unsentClasses)))]),
    ...told("HTML transferred", result.bodyBytes, (bytes) => `${bytes} bytes`),
    field("Requests per second", `${requestsPerSecond(result).toFixed(2)} [#/sec] (mean)`),
    ...(completedInWindow(result) > 0 ? timesPerRequest(result) : []),
    ...told(
      "Transfer rate",
      result.totalBytes,
      (bytes) => `${(bytes / 1024 / workSeconds(result)).toFixed(2)} [Kbytes/sec] received`,
    ),
    ...(result.completed > 0 ? latencyLines(result) : []),
    ...kindLines(result),
    ...openLoopLines(result),
    ...lengthLines(result),
    ...lateLines(result),
    ...errorLines(result),
    ...toolLines(result),
  ].join("\n")}\n`;
}

/** ab sets all values at column 25. */
function field(name: string, value: string | number): string {
  return `${`${name}:`.padEnd(24)}${oneLine(String(value))}`;
}

/** A line whose value is known. */
function told(name: string, value: number | null, text: (value: number) => string): readonly string[] {
  return value === null ? [] : [field(name, text(value))];
}

function timesPerRequest(result: GeneratorResult): readonly string[] {
  const meanMs = 1000 / requestsPerSecond(result);
  // ab reckons by Little's law, which holds for as many requests under way as there are connections: not in an open loop.
  const requestMs = result.loop === "open" ? latencyOf(result.latency.total).mean / 1e6 : result.concurrency * meanMs;
  return [
    field("Time per request", `${requestMs.toFixed(3)} [ms] (mean)`),
    field("Time per request", `${meanMs.toFixed(3)} [ms] (mean, across all concurrent requests)`),
  ];
}

function latencyLines({ latency }: GeneratorResult): readonly string[] {
  const total = latencyOf(latency.total);
  const rows = [
    ...timesLine("Connect", latency.connect),
    ...timesLine("Processing", latency.processing),
    ...timesLine("Waiting", latency.waiting),
    ...timesLine("Total", latency.total),
  ];
  const percentages = PERCENTILES.flatMap((percentile) => {
    const time = total.valueAtPercentile(percentile);
    return Number.isNaN(time) ? [] : [`  ${percentile}%  ${ms(time, 9)}`];
  });
  return [
    ...(rows.length === 0
      ? []
      : ["", "Connection Times (ms)", "                 min     mean[+/-sd]   median       max", ...rows]),
    ...(percentages.length === 0
      ? []
      : ["", "Percentage of the requests served within a certain time (ms)", ...percentages]),
    ...(Number.isNaN(total.max) ? [] : [` 100%  ${ms(total.max, 9)} (longest request)`]),
  ];
}

function timesLine(name: string, stored: GeneratorResult["latency"]["total"]): readonly string[] {
  if (stored === null) return [];
  const times = latencyOf(stored);
  const columns = [ms(times.min, 9), ms(times.mean, 8), ms(times.standardDeviation, 7)];
  return [`${`${name}:`.padEnd(11)}${columns.join(" ")} ${ms(times.valueAtPercentile(50), 8)} ${ms(times.max, 9)}`];
}

function ms(ns: number, width: number): string {
  return (Number.isNaN(ns) ? "-" : (ns / 1e6).toFixed(3)).padStart(width);
}

/** A row for each kind of request, in columns. */
function kindLines({ kinds, ...run }: GeneratorResult): readonly string[] {
  if (kinds === undefined) return [];
  const rows = kinds.map(({ name, sent, completed, total }) => {
    const times = Histogram.fromStored(total);
    const percentiles = [50, 90, 99, 100].map((percentile) => (times.valueAtPercentile(percentile) / 1e6).toFixed(3));
    return [oneLine(name), sent, sent - completed, (completed / workSeconds(run)).toFixed(2), ...percentiles].map(
      String,
    );
  });
  const head = ["", "requests", "failed", "[#/sec]", "50% [ms]", "90%", "99%", "100%"];
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    row
      .map((text, column) => (column === 0 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!)))
      .join("  ");
  return ["", "By kind of request", line(head), ...rows.map(line)];
}

function lengthLines({ bodyLengths }: GeneratorResult): readonly string[] {
  if (bodyLengths === undefined) return [];
  return [
    "",
    `Bodies had ${bodyLengths.shortest} to ${bodyLengths.longest} bytes, which may be so (--variable-length)`,
  ];
}

/** How requests came. */
function arrivalsText({ arrivals = "even", seed, rampSeconds }: OpenLoopResult): string {
  const ways = { even: "at even distances", poisson: `at random (Poisson, seed ${seed})`, recorded: "as recorded" };
  return `${ways[arrivals]}${rampSeconds === undefined ? "" : `, the rate rising for ${rampSeconds} seconds`}`;
}

function openLoopLines({ openLoop, concurrency }: GeneratorResult): readonly string[] {
  if (openLoop === undefined) return [];
  const lag = Histogram.fromStored(openLoop.lag);
  const pacing = Histogram.fromStored(openLoop.pacing);
  return [
    "",
    "Open loop: total times count from the time at which a request was to be sent",
    field("Arrivals", arrivalsText(openLoop)),
    field("Rate asked for", `${Number(openLoop.rate.toPrecision(6))} [#/sec]`),
    field("Rate achieved", `${openLoop.achievedRate.toFixed(2)} [#/sec]`),
    field("Largest lag", `${ms(lag.max, 0)} [ms] behind schedule`),
    field("Pacing error", `${ms(pacing.valueAtPercentile(99), 0)} [ms] (99% of the requests with a connection free)`),
    ...waitedLines(openLoop, concurrency),
  ];
}

/** A word where the connections were a limit. */
function waitedLines({ waited = 0, connectionsAllowed }: OpenLoopResult, concurrency: number): readonly string[] {
  if (waited === 0) return [];
  const text = `${waited} requests, since all ${connectionsAllowed ?? concurrency} were busy: a higher --concurrency shows the server's queue alone`;
  return [field("Waited for connection", text)];
}

/** What was under way when the window ended. */
function lateLines(result: GeneratorResult): readonly string[] {
  const late = result.completed - completedInWindow(result);
  if (late === 0) return [];
  const afterSeconds = Math.max(0, result.elapsedSeconds - windowSeconds(result));
  return [
    "",
    `Completed after the window: ${late}, the last ${afterSeconds.toFixed(3)} seconds after its end (in counts and latencies, not in rates)`,
  ];
}

function errorLines({
  errors,
  sent,
  requested,
  elapsedSeconds,
  requestedSeconds = 0,
}: GeneratorResult): readonly string[] {
  const found = errorClasses.filter((name) => errors[name] > 0).map((name) => `${name} ${errors[name]}`);
  const lines = found.length > 0 ? ["", `Errors by class: ${found.join(", ")}`] : [];
  if (sent < requested) return [...lines, "", `Interrupted after ${sent} of ${requested} requests`];
  if (errors.interrupted > 0) {
    return [...lines, "", `Interrupted after ${elapsedSeconds.toFixed(1)} of ${requestedSeconds} seconds`];
  }
  return lines;
}

/** Which tool sent the requests, and what to know of its figures. */
function toolLines(result: GeneratorResult): readonly string[] {
  if (!("tool" in result)) return [];
  const { name, version, command, caveats } = result.tool;
  const lines = [`Sent by ${name} ${version}: ${command.join(" ")}`, ...caveats.map((caveat) => `- ${caveat}`)];
  return ["", ...lines.map(oneLine)];
}
