import { latencyOf } from "../src/harness/drivers/latency.js";
import { wrk } from "../src/harness/drivers/wrk.js";
import { targetOf } from "../src/harness/load/request/options.js";
import { onPath } from "./processes.js";
import type { Tool } from "./tools.js";

const TIMEOUT_MS = 2000;

/**
 * wrk on one thread, where it is installed; else null. Its latencies are those it recorded: what it adds to them when its time is up, latencies
 * that no request had, makes most of its own p99.9 wherever the machine pauses once in a run, and is taken back by its driver.
 */
export async function installedWrk(): Promise<Tool | null> {
  if (!onPath("wrk")) return null;
  return {
    name: "wrk",
    version: await wrk.version(),
    async run({ url, concurrency, seconds, keepAlive = true, cpu }) {
      const result = await wrk.run({
        target: targetOf(url),
        requests: Number.POSITIVE_INFINITY,
        durationMs: seconds * 1000,
        concurrency,
        keepAlive,
        timeoutMs: TIMEOUT_MS,
        headers: [],
        cpus: cpu === null ? null : String(cpu),
      });
      const { completed, elapsedSeconds, generator, errors } = result;
      const latency = latencyOf(result.latency.processing);
      const ms = (ns: number): number | null => (Number.isNaN(ns) ? null : ns / 1e6);
      const { cpuUserMicros: user, cpuSystemMicros: system } = generator;
      const isCounted = user !== null && system !== null;
      return {
        completed,
        requestsPerSecond: completed / elapsedSeconds,
        meanMs: ms(latency.mean),
        p50Ms: ms(latency.valueAtPercentile(50)),
        p99Ms: ms(latency.valueAtPercentile(99)),
        p999Ms: ms(latency.valueAtPercentile(99.9)),
        cpuMicrosPerRequest: isCounted ? (user + system) / completed : null,
        cpu: isCounted ? { user: user / 1e6, system: system / 1e6 } : null,
        errors: Object.values(errors).reduce((sum, count) => sum + count, 0),
      };
    },
  };
}
