import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Histogram } from "../src/load/histogram.js";
import type { RunResult } from "../src/load/run-result.js";
import { output } from "./processes.js";

/** What is asked of a generator: the same for all of them. */
export interface Task {
  readonly url: string;
  readonly concurrency: number;
  readonly seconds: number;
  /** Requests that take about `seconds`, for a tool that counts requests. */
  readonly requests: number;
  readonly cpu: number | null;
}

/** What a generator tells. */
export interface Told {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Requests that failed, of whatever class the tool knows. */
  readonly errors: number;
}

/** A load generator on one thread, keep-alive on. */
export interface Tool {
  readonly name: string;
  readonly version: string;
  run(task: Task): Promise<Told>;
}

const require = createRequire(import.meta.url);
const commandLine = fileURLToPath(new URL("../src/cli/main.js", import.meta.url));

/** loopool's own generator, as a process of its own like the others. */
export const loopool: Tool = {
  name: "loopool",
  version: "this tree",
  async run({ url, concurrency, requests, cpu }) {
    const count = ["-n", String(requests), "-c", String(concurrency)];
    const line = await output(cpu, [process.execPath, commandLine, "load", "--json", ...count, url]);
    const result = JSON.parse(line) as RunResult;
    const total = Histogram.fromStored(result.latency.total);
    return {
      requestsPerSecond: result.completed / result.elapsedSeconds,
      p50Ms: total.valueAtPercentile(50) / 1e6,
      p99Ms: total.valueAtPercentile(99) / 1e6,
      errors: result.sent - result.completed,
    };
  },
};

interface AutocannonReport {
  readonly duration: number;
  readonly errors: number;
  readonly non2xx: number;
  readonly "2xx": number;
  readonly latency: { readonly p50: number; readonly p99: number };
}

const autocannonMain = require.resolve("autocannon");

export const autocannon: Tool = {
  name: "autocannon",
  version: (JSON.parse(readFileSync(join(dirname(autocannonMain), "package.json"), "utf8")) as { version: string })
    .version,
  async run({ url, concurrency, seconds, cpu }) {
    const count = ["--duration", String(seconds), "--connections", String(concurrency)];
    const report = JSON.parse(
      await output(cpu, [process.execPath, autocannonMain, "--json", "--no-progress", ...count, url]),
    ) as AutocannonReport;
    return {
      requestsPerSecond: report["2xx"] / report.duration,
      p50Ms: report.latency.p50,
      p99Ms: report.latency.p99,
      errors: report.errors + report.non2xx,
    };
  },
};

const msPer: Readonly<Record<string, number>> = { us: 1e-3, ms: 1, s: 1e3, m: 60e3 };

/** wrk, where it is installed; `version` is its own word for it. */
export function wrk(version: string): Tool {
  return {
    name: "wrk",
    version,
    async run({ url, concurrency, seconds, cpu }) {
      const count = ["-t", "1", "-c", String(concurrency), "-d", `${seconds}s`];
      const text = await output(cpu, ["wrk", "--latency", ...count, url]);
      const found = (pattern: RegExp): readonly string[] => {
        const match = pattern.exec(text);
        if (match === null) throw new Error(`wrk's report has no ${pattern}:\n${text}`);
        return match;
      };
      const percentileMs = (percentile: number): number => {
        const [, value, unit] = found(new RegExp(`^ +${percentile}%\\s+([\\d.]+)(us|ms|s|m)$`, "m"));
        return Number(value) * msPer[unit ?? ""]!;
      };
      const sockets = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text)?.slice(1) ?? [];
      const others = /Non-2xx or 3xx responses: (\d+)/.exec(text)?.slice(1) ?? [];
      return {
        requestsPerSecond: Number(found(/^Requests\/sec:\s+([\d.]+)/m)[1]),
        p50Ms: percentileMs(50),
        p99Ms: percentileMs(99),
        errors: [...sockets, ...others].reduce((sum, count) => sum + Number(count), 0),
      };
    },
  };
}
