import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { table } from "../src/harness/report/markdown.js";
import { seededRandom } from "../src/harness/statistics/random.js";
import { pairedRatio } from "../src/harness/statistics/ratio.js";
import { packageRoot } from "../src/shared/package-root.js";
import { twoCpus, withServer } from "./processes.js";
import { loopool } from "./tools.js";

/**
 * What the shared parts cost the reactor on a hot 1 KiB page at c=100, in blocks, a fresh server for each trial:
 * `npm run bench -- shared [BLOCKS]`. Writes bench/results/<date>-shared.json and exits 1 where a bar is missed.
 */
const blocks = Number(process.argv[2] ?? 9);
const CONCURRENCY = 100;
const WARMUP_REQUESTS = 40_000;
const REQUESTS = 200_000;
const SEED = 1;

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const logFile = `${tmpdir()}/loopool-bench-${process.pid}.log`;
const common = ["--mode=reactor", "--host=127.0.0.1", "--port=0", `--handlers=${here("./fixtures/map-handler.js")}`];
/** Name, flags, path. */
const variants: Readonly<Record<string, { readonly flags: readonly string[]; readonly path: string }>> = {
  "file cache": { flags: [], path: "/" },
  "a Map in the handler": { flags: [], path: "/map" },
  "no mirror": { flags: ["--mirror=off"], path: "/" },
  "access log, block": { flags: [`--log=${logFile}`, "--log-overflow=block"], path: "/" },
};
const bars = [
  { what: "file cache ÷ a Map", base: "a Map in the handler", other: "file cache", atLeast: 0.97 },
  { what: "mirrored stats ÷ none", base: "no mirror", other: "file cache", atLeast: 0.99 },
  { what: "access log ÷ none", base: "file cache", other: "access log, block", atLeast: 0.9 },
] as const;

const startedAt = new Date().toISOString();
const pinning = twoCpus();
const random = seededRandom(SEED);
const rates = new Map<string, number[]>(Object.keys(variants).map((name) => [name, []]));
let dropped = 0;
let lines = 0;

for (let block = 0; block < blocks; block++) {
  const order = Object.entries(variants)
    .map((variant) => ({ variant, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ variant }) => variant);
  for (const [name, { flags, path }] of order) {
    await withServer(
      pinning.server,
      [process.execPath, here("../src/cli/main.js"), "serve", ...common, ...flags],
      async (port) => {
        const origin = `http://127.0.0.1:${port}`;
        const task = { url: origin + path, concurrency: CONCURRENCY, seconds: 0, cpu: pinning.generator };
        await loopool.run({ ...task, requests: WARMUP_REQUESTS });
        const { requestsPerSecond, errors } = await loopool.run({ ...task, requests: REQUESTS });
        if (errors > 0) throw new Error(`${name}: ${errors} errors in block ${block}`);
        rates.get(name)!.push(requestsPerSecond);
        const { log } = (await (await fetch(`${origin}/stats.json`)).json()) as { log: { dropped: number } };
        dropped += log.dropped;
      },
    );
    if (name === "access log, block") {
      lines += readFileSync(logFile, "latin1").split("\n").length - 1;
      writeFileSync(logFile, "");
    }
  }
}
const expectedLines = blocks * (WARMUP_REQUESTS + REQUESTS + 1);

const comparisons = bars.map(({ what, base, other, atLeast }) => {
  const [bases, others] = [rates.get(base)!, rates.get(other)!];
  const { ratio, interval } = pairedRatio(bases, others)!;
  return { what, atLeast, ratio, interval, met: ratio >= atLeast };
});
console.log(
  table(
    ["requests/s, c=100, 1 KiB page", "ratio", "95% interval", "bar", ""],
    comparisons.map(({ what, ratio, interval, atLeast, met }) => [
      what,
      ratio.toFixed(3),
      interval === null ? "none" : `${interval.low.toFixed(3)} – ${interval.high.toFixed(3)}`,
      `≥ ${atLeast}`,
      met ? "met" : "MISSED",
    ]),
  ),
);
console.log(`\nAccess log: ${lines} lines of ${expectedLines} requests, ${dropped} dropped`);

const plan = {
  blocks,
  concurrency: CONCURRENCY,
  warmupRequests: WARMUP_REQUESTS,
  requests: REQUESTS,
  seed: SEED,
  pinning,
};
const stored = {
  schema: "loopool-shared/1",
  startedAt,
  node: process.versions.node,
  plan,
  requestsPerSecond: Object.fromEntries(rates),
  comparisons,
  log: { lines, expectedLines, dropped },
};
const base = `${packageRoot}/bench/results/${startedAt.slice(0, 10)}-shared`;
let file = `${base}.json`;
for (let n = 2; existsSync(file); n++) file = `${base}-${n}.json`;
writeFileSync(file, `${JSON.stringify(stored, null, 1)}\n`);
console.log(`Result: ${file}`);
if (comparisons.some(({ met }) => !met) || lines !== expectedLines || dropped > 0) process.exitCode = 1;
