import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { requestsPerSecond } from "../src/harness/drivers/rate.js";
import { Histogram } from "../src/harness/load/histogram/histogram.js";
import type { RunResult } from "../src/harness/load/result/run-result.js";
import { inFlight } from "../src/harness/validity/accounting.js";
import { accountedOutput, type CpuTimes, withOpenFiles } from "./processes.js";

/** What is asked of a generator: the same for all of them. */
export interface Task {
  readonly url: string;
  readonly concurrency: number;
  readonly seconds: number;
  /** Instead of `seconds`, for a tool that counts requests. */
  readonly requests?: number;
  /** Absent: on. */
  readonly keepAlive?: boolean;
  readonly cpu: number | null;
}

/** What a generator tells. */
export interface Told {
  readonly completed: number;
  readonly requestsPerSecond: number;
  /** Latencies from the request written to its last byte, connecting left out: that is what the other tools measure. Null where they cannot be told. */
  readonly meanMs: number | null;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly p999Ms: number | null;
  /** Of the generator; null where nothing tells it. */
  readonly cpuMicrosPerRequest: number | null;
  /** Of the whole process, its start included; null where nothing tells it. */
  readonly cpu: CpuTimes | null;
  /** Requests that failed, of whatever class the tool knows. */
  readonly errors: number;
  /** What only loopool's own generator tells. */
  readonly own?: {
    /** Requests per second × mean latency, connecting included: by Little's law the connections that were busy. */
    readonly busyConnections: number;
    readonly peakConnections: number;
    /** How full its fullest thread was, by its event loop. */
    readonly loopShare: number;
    readonly delayMaxMs: number;
  };
}

/** A load generator. */
export interface Tool {
  readonly name: string;
  readonly version: string;
  run(task: Task): Promise<Told>;
}

const require = createRequire(import.meta.url);
const commandLine = fileURLToPath(new URL("../src/cli/main.js", import.meta.url));

/** As many open files as a run over 10,000 connections could want, should the limit be lower. */
const OPEN_FILES = 40_000;

/** loopool's own generator, as a process of its own like the others. Its CPU time is that of the measured window: starting Node is no request's cost. */
export function loopoolWith(threads: number): Tool {
  return {
    name: threads === 1 ? "loopool" : `loopool, ${threads} threads`,
    version: "this tree",
    async run({ url, concurrency, seconds, requests, keepAlive = true, cpu }) {
      const length = requests === undefined ? ["-t", String(seconds)] : ["-n", String(requests)];
      const flags = ["--json", ...length, "-c", String(concurrency), "--threads", String(threads)];
      const command = [process.execPath, commandLine, "load", ...flags, `--keep-alive=${keepAlive}`, url];
      const { stdout, cpu: spent } = await accountedOutput(cpu, withOpenFiles(OPEN_FILES, command));
      const result = JSON.parse(stdout) as RunResult;
      const { completed, generator, latency } = result;
      const service = Histogram.fromStored(latency.processing);
      const [p50Ms, p99Ms, p999Ms] = [50, 99, 99.9].map((p) => service.valueAtPercentile(p) / 1e6) as Triple;
      return {
        completed,
        requestsPerSecond: requestsPerSecond(result),
        meanMs: service.mean / 1e6,
        p50Ms,
        p99Ms,
        p999Ms,
        cpuMicrosPerRequest: (generator.cpuUserMicros + generator.cpuSystemMicros) / completed,
        cpu: spent,
        errors: result.sent - completed,
        own: {
          busyConnections: inFlight(result),
          peakConnections: result.peakConnections,
          loopShare: generator.eventLoopUtilization,
          delayMaxMs: generator.eventLoopDelayMaxMs,
        },
      };
    },
  };
}

type Triple = [number, number, number];

export const loopool = loopoolWith(1);

interface AutocannonReport {
  readonly duration: number;
  readonly errors: number;
  readonly non2xx: number;
  readonly "2xx": number;
  readonly latency: { readonly mean: number; readonly p50: number; readonly p99: number; readonly p99_9: number };
}

const autocannonMain = require.resolve("autocannon");

/** autocannon, over connections that are kept. */
export const autocannon: Tool = {
  name: "autocannon",
  version: (JSON.parse(readFileSync(join(dirname(autocannonMain), "package.json"), "utf8")) as { version: string })
    .version,
  async run({ url, concurrency, seconds, cpu }) {
    const count = ["--duration", String(seconds), "--connections", String(concurrency)];
    const command = [process.execPath, autocannonMain, "--json", "--no-progress", ...count, url];
    const { stdout, cpu: spent } = await accountedOutput(cpu, command);
    const report = JSON.parse(stdout) as AutocannonReport;
    const completed = report["2xx"];
    return {
      completed,
      requestsPerSecond: completed / report.duration,
      meanMs: report.latency.mean,
      p50Ms: report.latency.p50,
      p99Ms: report.latency.p99,
      p999Ms: report.latency.p99_9,
      cpuMicrosPerRequest: spent === null ? null : ((spent.user + spent.system) * 1e6) / completed,
      cpu: spent,
      errors: report.errors + report.non2xx,
    };
  },
};
