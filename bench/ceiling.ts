import { existsSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { fileURLToPath } from "node:url";
import { table } from "../src/harness/report/markdown.js";
import { median } from "../src/harness/statistics/median.js";
import { seededRandom } from "../src/harness/statistics/random.js";
import { pairedRatio } from "../src/harness/statistics/ratio.js";
import { packageRoot } from "../src/shared/package-root.js";
import { twoCpus, withServer } from "./processes.js";
import { loopool } from "./tools.js";

/**
 * How far the cores are from the ceiling: the hot 1 KiB page on each of them beside a bare µWS server with a body of that
 * size, at c=100, in blocks, a fresh server for every trial: `npm run bench -- ceiling [BLOCKS]`.
 * Writes bench/results/<date>-ceiling.json and exits 1 where a bar is missed.
 */
const blocks = Number(process.argv[2] ?? 9);
const CONCURRENCY = 100;
const WARMUP_REQUESTS = 30_000;
const REQUESTS = 150_000;
const SEED = 1;

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const serve = (mode: string) => [
  here("../src/cli/main.js"),
  "serve",
  "--mode",
  mode,
  "--host",
  "127.0.0.1",
  "--port",
  "0",
];
const servers: Readonly<Record<string, readonly string[]>> = {
  "bare µWS": [here("./bare-server.js"), "1024"],
  reactor: serve("reactor"),
  pool: serve("pool"),
};
const bars = [
  { base: "bare µWS", other: "reactor", atLeast: 0.85 },
  { base: "reactor", other: "pool", atLeast: 0.75 },
] as const;

const startedAt = new Date().toISOString();
const pinning = twoCpus();
const random = seededRandom(SEED);
const rates = new Map<string, number[]>(Object.keys(servers).map((name) => [name, []]));

for (let block = 0; block < blocks; block++) {
  const order = Object.entries(servers)
    .map((server) => ({ server, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ server }) => server);
  for (const [name, command] of order) {
    await withServer(pinning.server, [process.execPath, ...command], async (port) => {
      const task = { url: `http://127.0.0.1:${port}/`, concurrency: CONCURRENCY, seconds: 0, cpu: pinning.generator };
      await loopool.run({ ...task, requests: WARMUP_REQUESTS });
      const { requestsPerSecond, errors } = await loopool.run({ ...task, requests: REQUESTS });
      if (errors > 0) throw new Error(`${name}: ${errors} errors in block ${block}`);
      rates.get(name)!.push(requestsPerSecond);
    });
  }
}

const comparisons = bars.map(({ base, other, atLeast }) => {
  const [bases, others] = [rates.get(base)!, rates.get(other)!];
  const { ratio, interval } = pairedRatio(bases, others)!;
  return { base, other, atLeast, ratio, interval, met: ratio >= atLeast };
});
console.log(
  table(
    ["c=100, hot 1 KiB page", "median requests/s", "range"],
    [...rates].map(([name, values]) => [
      name,
      Math.round(median(values)).toLocaleString("en-US"),
      `${Math.round(Math.min(...values)).toLocaleString("en-US")} – ${Math.round(Math.max(...values)).toLocaleString("en-US")}`,
    ]),
  ),
);
console.log();
console.log(
  table(
    ["requests/s", "ratio", "95% interval", "bar", ""],
    comparisons.map(({ base, other, atLeast, ratio, interval, met }) => [
      `${other} ÷ ${base}`,
      ratio.toFixed(3),
      interval === null ? "none" : `${interval.low.toFixed(2)} – ${interval.high.toFixed(2)}`,
      `≥ ${atLeast}`,
      met ? "met" : "MISSED",
    ]),
  ),
);

const environment = {
  cpuModel: cpus()[0]?.model ?? "unknown",
  cores: cpus().length,
  kernel: release(),
  node: process.versions.node,
  pinning,
};
const result = {
  schema: "loopool-ceiling/1",
  command: `node dist/bench/ceiling.js ${blocks}`,
  startedAt,
  environment,
  plan: { blocks, concurrency: CONCURRENCY, warmupRequests: WARMUP_REQUESTS, requests: REQUESTS, seed: SEED },
  requestsPerSecond: Object.fromEntries(rates),
  comparisons,
};
const base = `${packageRoot}/bench/results/${startedAt.slice(0, 10)}-ceiling`;
let file = `${base}.json`;
for (let n = 2; existsSync(file); n++) file = `${base}-${n}.json`;
writeFileSync(file, `${JSON.stringify(result, null, 1)}\n`);
console.log(`\nResult: ${file}`);
if (comparisons.some(({ met }) => !met)) process.exitCode = 1;
