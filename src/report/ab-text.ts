import { Histogram, type StoredHistogram } from "../load/histogram.js";
import { errorClasses, type RunResult } from "../load/run-result.js";

const PERCENTILES = [50, 66, 75, 80, 90, 95, 98, 99] as const;

/**
 * A run in the words, order and units of ApacheBench 2.3, so that what parses ab's report parses this one.
 *
 * ab's terms: "Complete requests" are whole responses of any status, and "Failed" are, beside what failed on the way, whole
 * responses whose length differs from the first one's; a status outside 2xx is told apart, not failed. Two things differ on
 * purpose. Rates and times are of the requests that succeeded: ab calls a server fast that answers everything with an error.
 * Latencies have three decimals where ab rounds to whole milliseconds, since on one machine most of them would be 0. What ab has
 * no word for (each class of error) follows at the end.
 */
export function abReport(result: RunResult): string {
  const { errors } = result;
  const complete = result.completed + errors["wrong-length"] + errors["unexpected-status"];
  const connect = errors["connect-refused"] + errors["connect-failed"];
  const receive = errors.reset + errors["closed-early"] + errors.timeout + errors["short-body"];
  const failed = connect + receive + errors["wrong-length"] + errors.malformed;
  const seconds = result.elapsedSeconds;

  return `${[
    "",
    field("Server Software", result.serverSoftware),
    field("Server Hostname", result.host),
    field("Server Port", result.port),
    "",
    field("Document Path", result.path),
    field("Document Length", `${result.documentBytes} bytes`),
    "",
    field("Concurrency Level", result.concurrency),
    field("Time taken for tests", `${seconds.toFixed(3)} seconds`),
    field("Complete requests", complete),
    field("Failed requests", failed),
    ...(failed > 0
      ? [
          `   (Connect: ${connect}, Receive: ${receive}, Length: ${errors["wrong-length"]}, Exceptions: ${errors.malformed})`,
        ]
      : []),
    ...(errors["unexpected-status"] > 0 ? [field("Non-2xx responses", errors["unexpected-status"])] : []),
    ...(result.keepAlive ? [field("Keep-Alive requests", result.keepAliveResponses)] : []),
    field("Total transferred", `${result.totalBytes} bytes`),
    field("HTML transferred", `${result.bodyBytes} bytes`),
    field("Requests per second", `${(result.completed / seconds).toFixed(2)} [#/sec] (mean)`),
    ...(result.completed > 0 ? timesPerRequest(result) : []),
    field("Transfer rate", `${(result.totalBytes / 1024 / seconds).toFixed(2)} [Kbytes/sec] received`),
    ...(result.completed > 0 ? latencyLines(result) : []),
    ...errorLines(result),
  ].join("\n")}\n`;
}

/** ab sets all values at column 25. */
function field(name: string, value: string | number): string {
  return `${`${name}:`.padEnd(24)}${value}`;
}

function timesPerRequest({ concurrency, completed, elapsedSeconds }: RunResult): readonly string[] {
  const meanMs = (elapsedSeconds * 1000) / completed;
  return [
    field("Time per request", `${(concurrency * meanMs).toFixed(3)} [ms] (mean)`),
    field("Time per request", `${meanMs.toFixed(3)} [ms] (mean, across all concurrent requests)`),
  ];
}

function latencyLines({ latency }: RunResult): readonly string[] {
  const total = Histogram.fromStored(latency.total);
  return [
    "",
    "Connection Times (ms)",
    "                 min     mean[+/-sd]   median       max",
    timesLine("Connect", latency.connect),
    timesLine("Processing", latency.processing),
    timesLine("Waiting", latency.waiting),
    timesLine("Total", latency.total),
    "",
    "Percentage of the requests served within a certain time (ms)",
    ...PERCENTILES.map((percentile) => `  ${percentile}%  ${ms(total.valueAtPercentile(percentile), 9)}`),
    ` 100%  ${ms(total.max, 9)} (longest request)`,
  ];
}

function timesLine(name: string, stored: StoredHistogram): string {
  const times = Histogram.fromStored(stored);
  const columns = [ms(times.min, 9), ms(times.mean, 8), ms(times.standardDeviation, 7)];
  return `${`${name}:`.padEnd(11)}${columns.join(" ")} ${ms(times.valueAtPercentile(50), 8)} ${ms(times.max, 9)}`;
}

function ms(ns: number, width: number): string {
  return (ns / 1e6).toFixed(3).padStart(width);
}

function errorLines({ errors, sent, requested }: RunResult): readonly string[] {
  const found = errorClasses.filter((name) => errors[name] > 0).map((name) => `${name} ${errors[name]}`);
  const lines = found.length > 0 ? ["", `Errors by class: ${found.join(", ")}`] : [];
  return sent < requested ? [...lines, "", `Interrupted after ${sent} of ${requested} requests`] : lines;
}
