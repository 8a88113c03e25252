import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { accountedOutput, onPath } from "./processes.js";
import type { Tool } from "./tools.js";

/** What wrk's `done` hook is given (SCRIPTING in its repository), as one line of JSON: times in µs. wrk prints no p99.9 of its own. */
const SCRIPT = `
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('\\nsummary {"requests":%d,"durationMicros":%d,"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d,',
    summary.requests, summary.duration, e.connect, e.read, e.write, e.status, e.timeout))
  io.write(string.format('"mean":%f,"p50":%f,"p99":%f,"p999":%f}\\n',
    latency.mean, latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
`;

interface Summary {
  readonly requests: number;
  readonly durationMicros: number;
  readonly connect: number;
  readonly read: number;
  readonly write: number;
  readonly status: number;
  readonly timeout: number;
  readonly mean: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

/** wrk on one thread, where it is installed; else null. */
export function installedWrk(): Tool | null {
  if (!onPath("wrk")) return null;
  const said = spawnSync("wrk", ["-v"], { encoding: "utf8" });
  const version = /^wrk (\S+)/.exec(`${said.stdout}${said.stderr}`)?.[1] ?? "of unknown version";
  return {
    name: "wrk",
    version,
    async run({ url, concurrency, seconds, keepAlive = true, cpu }) {
      const folder = mkdtempSync(join(tmpdir(), "loopool-wrk-"));
      try {
        const script = join(folder, "done.lua");
        writeFileSync(script, SCRIPT);
        const count = ["-t", "1", "-c", String(concurrency), "-d", `${seconds}s`, "-s", script];
        const header = keepAlive ? [] : ["-H", "Connection: close"];
        const { stdout, cpu: spent } = await accountedOutput(cpu, ["wrk", ...count, ...header, url]);
        const line = /^summary (.*)$/m.exec(stdout)?.[1];
        if (line === undefined) throw new Error(`wrk's report has no summary:\n${stdout}`);
        const { requests, durationMicros, mean, p50, p99, p999, ...failed } = JSON.parse(line) as Summary;
        return {
          completed: requests,
          requestsPerSecond: (requests * 1e6) / durationMicros,
          meanMs: mean / 1000,
          p50Ms: p50 / 1000,
          p99Ms: p99 / 1000,
          p999Ms: p999 / 1000,
          cpuMicrosPerRequest: spent === null ? null : ((spent.user + spent.system) * 1e6) / requests,
          cpu: spent,
          // Without keep-alive it counts every connection that the server closes as a read error.
          errors: failed.connect + (keepAlive ? failed.read : 0) + failed.write + failed.status + failed.timeout,
        };
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  };
}
