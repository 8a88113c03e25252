import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { targetOf } from "../src/harness/load/request/options.js";
import type { RunResult } from "../src/harness/load/result/run-result.js";
import { run } from "../src/harness/load/run/run.js";
import { significant, whole } from "../src/harness/report/format.js";
import { table } from "../src/harness/report/markdown.js";
import { packageRoot } from "../src/shared/package-root.js";
import { withServer } from "./processes.js";

/**
 * What becomes of a pool that is asked for far more than it can: 450 connections on a ring of 64 for a minute, before and after it as
 * many as fit. `npm run bench -- overload [SECONDS]`. Writes bench/results/<date>-overload.json and exits 1 where a bar is missed.
 */
const overloadSeconds = Number(process.argv[2] ?? 60);
const QUEUE = 64;
const FITS = 32;
const CONNECTIONS = 450;
const CAPACITY_SECONDS = 5;
const PATH = "/cpu?us=1000";

const commandLine = fileURLToPath(new URL("../src/cli/main.js", import.meta.url));
const serve = ["serve", "--mode=pool", "--workers=1", `--queue=${QUEUE}`, "--host=127.0.0.1", "--port=0"];

/** Closed loop over `concurrency` connections for this long. */
async function ask(port: number, path: string, concurrency: number, seconds: number): Promise<RunResult> {
  const target = targetOf(`http://127.0.0.1:${port}${path}`);
  const stop = new AbortController();
  setTimeout(() => stop.abort(), seconds * 1000);
  const limits = { requests: 1e9, keepAlive: true, timeoutMs: 20_000, headers: [], byFirstByte: false };
  return await run({ ...limits, target, concurrency }, stop.signal);
}

const rate = (count: number, { elapsedSeconds }: RunResult): number => count / elapsedSeconds;

/** Resident memory now, bytes. */
function rssBytes(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kibibytes) * 1024;
}

const startedAt = new Date().toISOString();
const measured = await withServer(null, [process.execPath, commandLine, ...serve], async (port) => {
  const metrics = async () =>
    (await (await fetch(`http://127.0.0.1:${port}/stats.json`)).json()) as {
      readonly pid: number;
      readonly shed: number;
    };
  const { pid, shed: shedBefore } = await metrics();
  await ask(port, PATH, FITS, 2);
  const before = await ask(port, PATH, FITS, CAPACITY_SECONDS);
  const rssByTenth: number[] = [];
  const timer = setInterval(() => rssByTenth.push(rssBytes(pid)), (overloadSeconds * 1000) / 10);
  const during = await ask(port, PATH, CONNECTIONS, overloadSeconds);
  clearInterval(timer);
  const firstSecond = await ask(port, PATH, FITS, 1);
  const after = await ask(port, PATH, FITS, CAPACITY_SECONDS);
  return { before, during, firstSecond, after, rssByTenth, shed: (await metrics()).shed - shedBefore };
});

const { before, during, firstSecond, after, rssByTenth, shed } = measured;
const refused = during.statusCounts["503"] ?? 0;
const otherErrors = Object.entries(during.errors).filter(
  ([name]) => name !== "unexpected-status" && name !== "interrupted",
);
const capacity = rate(before.completed, before);
const metrics = {
  capacityPerSecond: capacity,
  askedPerCapacity: rate(during.completed + refused, during) / capacity,
  servedPerCapacity: rate(during.completed, during) / capacity,
  firstSecondPerCapacity: rate(firstSecond.completed, firstSecond) / capacity,
  afterPerCapacity: rate(after.completed, after) / capacity,
  /** The most in the last third of the overload ÷ the most in its first third. The heap goes up and down by a tenth between two full collections. */
  memoryGrowth: Math.max(...rssByTenth.slice(-3)) / Math.max(...rssByTenth.slice(0, 3)),
  refused,
  shed,
  /** Requests that were under way when the load was stopped: some of them were refused, too. */
  interrupted: during.errors.interrupted,
  otherErrors: otherErrors.reduce((sum, [, count]) => sum + count, 0),
};
const bars: readonly (readonly [string, string, string, boolean])[] = [
  ["asked ÷ capacity", significant(metrics.askedPerCapacity), "≥ 10", metrics.askedPerCapacity >= 10],
  [
    "first second after it ÷ capacity",
    significant(metrics.firstSecondPerCapacity),
    "≥ 0.9",
    metrics.firstSecondPerCapacity >= 0.9,
  ],
  [
    "most memory in its last third ÷ in its first",
    significant(metrics.memoryGrowth),
    "≤ 1.2",
    metrics.memoryGrowth <= 1.2,
  ],
  [
    `shed as the server counts − refused as the client does; ${metrics.interrupted} were under way at the end`,
    String(shed - refused),
    `0 to ${metrics.interrupted}`,
    shed >= refused && shed - refused <= metrics.interrupted,
  ],
  ["requests that failed otherwise", String(metrics.otherErrors), "0", metrics.otherErrors === 0],
];
console.log(
  `Capacity with ${FITS} connections: ${whole(capacity)} requests/s of ${PATH}. ${CONNECTIONS} connections for ${overloadSeconds} s: ` +
    `${whole(rate(refused, during))}/s refused, ${significant(metrics.servedPerCapacity)} of the capacity served.\n`,
);
console.log(
  table(
    ["overload", "measured", "bar", ""],
    bars.map(([name, value, limit, met]) => [name, value, limit, met ? "met" : "MISSED"]),
  ),
);

const base = `${packageRoot}/bench/results/${startedAt.slice(0, 10)}-overload`;
let file = `${base}.json`;
for (let n = 2; existsSync(file); n++) file = `${base}-${n}.json`;
const plan = { path: PATH, queue: QUEUE, workers: 1, fits: FITS, connections: CONNECTIONS, overloadSeconds };
const stored = { schema: "loopool-overload/1", startedAt, node: process.versions.node, plan, metrics, rssByTenth };
writeFileSync(file, `${JSON.stringify(stored, null, 1)}\n`);
console.log(`\nResult: ${file}`);
if (bars.some(([, , , met]) => !met)) process.exitCode = 1;
