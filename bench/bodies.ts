import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { table } from "../src/harness/report/markdown.js";
import { median } from "../src/harness/statistics/median.js";
import { seededRandom } from "../src/harness/statistics/random.js";
import { pairedRatio } from "../src/harness/statistics/ratio.js";
import { packageRoot } from "../src/shared/package-root.js";
import type { BodyRun } from "./fixtures/body-client.js";
import { output, twoCpus, withServer } from "./processes.js";

/**
 * What bodies and streams cost in the pool: requests/s of GET, POST of 1 KiB and of 1 MiB, and the time to the first byte of a stream, pool ÷
 * reactor, in blocks, a fresh server for each trial: `npm run bench -- bodies [BLOCKS [WORKERS]]`, three minutes for five blocks. The server has
 * both CPUs, with the generator. Writes bench/results/<date>-bodies.json and exits 1 where a bar is missed. Linux only.
 */
const blocks = Number(process.argv[2] ?? 5);
const workers = Number(process.argv[3] ?? 1);
const SEED = 1;
const CORES = ["reactor", "pool"] as const;

/** One kind of request. */
interface Kind {
  readonly name: string;
  readonly path: string;
  readonly method: string;
  readonly bodyBytes: number;
  readonly concurrency: number;
  readonly requests: number;
}

const kinds: readonly Kind[] = [
  { name: "GET", path: "/length", method: "GET", bodyBytes: 0, concurrency: 100, requests: 60_000 },
  { name: "POST 1 KiB", path: "/length", method: "POST", bodyBytes: 1024, concurrency: 100, requests: 60_000 },
  { name: "POST 1 MiB", path: "/length", method: "POST", bodyBytes: 2 ** 20, concurrency: 10, requests: 1500 },
  { name: "stream", path: "/stream", method: "GET", bodyBytes: 0, concurrency: 10, requests: 20_000 },
];

const handlers = fileURLToPath(new URL("./fixtures/body-handlers.js", import.meta.url));
const client = fileURLToPath(new URL("./fixtures/body-client.js", import.meta.url));
const program = fileURLToPath(new URL("../src/cli/main.js", import.meta.url));
const startedAt = new Date().toISOString();
const random = seededRandom(SEED);
const cells = CORES.flatMap((core) =>
  kinds.map((kind) => ({
    core,
    kind,
    perSecond: [] as number[],
    firstByteMs: [] as number[],
    /** Resident memory of the server after the warm-up and at the end, MiB. */
    rssMiB: [] as (readonly [number, number])[],
  })),
);
type Cell = (typeof cells)[number];

async function load(port: number, kind: Kind, requests: number): Promise<BodyRun> {
  const { path, method, bodyBytes, concurrency } = kind;
  const args = [port, path, method, bodyBytes, concurrency, requests].map(String);
  const run = JSON.parse(await output(twoCpus().generator, [process.execPath, client, ...args])) as BodyRun;
  if (run.errors > 0) throw new Error(`${kind.name}: ${run.errors} errors`);
  return run;
}

function rssMiBOf(pid: number): number {
  return Number(/^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

async function trial({ core, kind, perSecond, firstByteMs, rssMiB }: Cell): Promise<void> {
  const flags = [`--mode=${core}`, `--workers=${workers}`, "--host=127.0.0.1", "--port=0", `--handlers=${handlers}`];
  await withServer(null, [process.execPath, program, "serve", ...flags], async (port, pid) => {
    await load(port, kind, kind.requests / 3);
    const before = rssMiBOf(pid);
    const run = await load(port, kind, kind.requests);
    perSecond.push(kind.requests / run.seconds);
    firstByteMs.push(median(run.firstByteMs));
    rssMiB.push([before, rssMiBOf(pid)]);
  });
}

for (let block = 0; block < blocks; block++) {
  const order = cells.map((cell) => ({ cell, key: random() })).sort((a, b) => a.key - b.key);
  for (const { cell } of order) await trial(cell);
}

const comparisons = kinds.map((kind) => {
  const [reactor, pool] = CORES.map((core) => cells.find((cell) => cell.core === core && cell.kind === kind)!);
  const isStream = kind.path === "/stream";
  const of = (cell: Cell): readonly number[] => (isStream ? cell.firstByteMs : cell.perSecond);
  const [base, compared] = [of(reactor!), of(pool!)];
  const ratio = median(compared.map((value, block) => value / base[block]!));
  const growth = median(pool!.rssMiB.map(([before, after]) => after / before));
  return {
    name: kind.name,
    reactor: median(base),
    pool: median(compared),
    ratio,
    interval: pairedRatio(base, compared)?.interval ?? null,
    growth,
  };
});
const [get, small, large, stream] = comparisons as [Comparison, Comparison, Comparison, Comparison];
type Comparison = (typeof comparisons)[number];

const bars = [
  { name: "POST 1 KiB: its ratio is at most 0.05 below GET's", isMet: small.ratio >= get.ratio - 0.05 },
  { name: "POST 1 MiB: pool ≥ 0.8 × reactor", isMet: large.ratio >= 0.8 },
  { name: "POST 1 MiB: memory of the pool grows by a fifth at most after the warm-up", isMet: large.growth <= 1.2 },
  { name: "first byte of a stream: pool ≤ 2 × reactor", isMet: stream.ratio <= 2 },
];
console.log(
  table(
    ["requests/s; of the stream: ms to the first byte", "reactor", "pool", "pool ÷ reactor", "95% interval", "memory"],
    comparisons.map(({ name, reactor, pool, ratio, interval, growth }) => [
      name,
      reactor.toPrecision(4),
      pool.toPrecision(4),
      ratio.toFixed(3),
      interval === null ? "none" : `${interval.low.toFixed(3)} – ${interval.high.toFixed(3)}`,
      `× ${growth.toFixed(2)}`,
    ]),
  ),
);
for (const { name, isMet } of bars) console.log(`${isMet ? "met" : "MISSED"}: ${name}`);

const stored = {
  schema: "loopool-bodies/1",
  startedAt,
  node: process.versions.node,
  plan: { blocks, workers, seed: SEED, kinds },
  cells: cells.map(({ core, kind, ...measured }) => ({ core, kind: kind.name, ...measured })),
  comparisons,
};
const base = `${packageRoot}/bench/results/${startedAt.slice(0, 10)}-bodies`;
let file = `${base}.json`;
for (let n = 2; existsSync(file); n++) file = `${base}-${n}.json`;
writeFileSync(file, `${JSON.stringify(stored, null, 1)}\n`);
console.log(`Result: ${file}`);
if (bars.some(({ isMet }) => !isMet)) process.exitCode = 1;
