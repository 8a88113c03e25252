import { existsSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { table } from "../src/harness/report/markdown.js";
import { median } from "../src/harness/statistics/median.js";
import { seededRandom } from "../src/harness/statistics/random.js";
import { pairedRatio } from "../src/harness/statistics/ratio.js";
import { packageRoot } from "../src/shared/package-root.js";
import { cpuTimesOf, twoCpus, withServer } from "./processes.js";
import { loopool } from "./tools.js";

/**
 * What the pool adds to the server's CPU time per request, by how a handler makes its headers, at c=100, in blocks, a fresh server for each
 * trial: `npm run bench -- headers [BLOCKS [PROGRAM]]`. PROGRAM: the main.js of another build to measure instead of this one.
 * Writes bench/results/<date>-headers.json and exits 1 where a bar is missed. Linux only.
 */
const blocks = Number(process.argv[2] ?? 9);
const program = process.argv[3] ?? fileURLToPath(new URL("../src/cli/main.js", import.meta.url));
const CONCURRENCY = 100;
const WARMUP_REQUESTS = 40_000;
const REQUESTS = 150_000;
const SEED = 1;
const CORES = ["reactor", "pool"] as const;
const PATHS = ["/shared", "/anew", "/unique", "/hello"] as const;
/** Pool ÷ reactor at most; null: only shown. */
const bars: Readonly<Record<(typeof PATHS)[number], number | null>> = {
  "/shared": 1.4,
  "/anew": 1.4,
  "/unique": null,
  "/hello": null,
};

const handlers = fileURLToPath(new URL("./fixtures/header-handlers.js", import.meta.url));
const startedAt = new Date().toISOString();
const pinning = twoCpus();
const random = seededRandom(SEED);
const cells = CORES.flatMap((core) => PATHS.map((path) => ({ core, path, micros: [] as number[] })));
const microsOf = (core: string, path: string): readonly number[] =>
  cells.find((cell) => cell.core === core && cell.path === path)!.micros;

for (let block = 0; block < blocks; block++) {
  const order = cells.map((cell) => ({ cell, key: random() })).sort((a, b) => a.key - b.key);
  for (const { cell } of order) {
    const flags = [`--mode=${cell.core}`, "--workers=1", "--host=127.0.0.1", "--port=0", `--handlers=${handlers}`];
    await withServer(pinning.server, [process.execPath, program, "serve", ...flags], async (port, pid) => {
      const url = `http://127.0.0.1:${port}${cell.path}`;
      const task = { url, concurrency: CONCURRENCY, seconds: 0, cpu: pinning.generator };
      await loopool.run({ ...task, requests: WARMUP_REQUESTS });
      const before = cpuTimesOf(pid)!;
      const { errors } = await loopool.run({ ...task, requests: REQUESTS });
      const after = cpuTimesOf(pid)!;
      if (errors > 0) throw new Error(`${cell.core} ${cell.path}: ${errors} errors in block ${block}`);
      const seconds = after.user + after.system - before.user - before.system;
      cell.micros.push((seconds * 1e6) / REQUESTS);
    });
  }
}

const comparisons = PATHS.map((path) => {
  const [reactor, pool] = [microsOf("reactor", path), microsOf("pool", path)];
  const ratio = median(pool.map((micros, block) => micros / reactor[block]!));
  const interval = pairedRatio(reactor, pool)?.interval ?? null;
  const atMost = bars[path];
  return { path, reactor: median(reactor), pool: median(pool), ratio, interval, atMost };
});
console.log(
  table(
    ["CPU µs per request, c=100", "reactor", "pool", "pool ÷ reactor", "95% interval", "bar", ""],
    comparisons.map(({ path, reactor, pool, ratio, interval, atMost }) => [
      path,
      reactor.toFixed(2),
      pool.toFixed(2),
      ratio.toFixed(3),
      interval === null ? "none" : `${interval.low.toFixed(3)} – ${interval.high.toFixed(3)}`,
      atMost === null ? "" : `≤ ${atMost}`,
      atMost === null ? "" : ratio <= atMost ? "met" : "MISSED",
    ]),
  ),
);

const plan = {
  blocks,
  concurrency: CONCURRENCY,
  warmupRequests: WARMUP_REQUESTS,
  requests: REQUESTS,
  seed: SEED,
  pinning,
};
const stored = {
  schema: "loopool-headers/1",
  startedAt,
  node: process.versions.node,
  plan,
  cpuMicrosPerRequest: cells.map(({ core, path, micros }) => ({ core, path, micros })),
  comparisons,
};
const base = `${packageRoot}/bench/results/${startedAt.slice(0, 10)}-headers`;
let file = `${base}.json`;
for (let n = 2; existsSync(file); n++) file = `${base}-${n}.json`;
writeFileSync(file, `${JSON.stringify(stored, null, 1)}\n`);
console.log(`Result: ${file}`);
if (comparisons.some(({ ratio, atMost }) => atMost !== null && ratio > atMost)) process.exitCode = 1;
