import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { packageRoot } from "../src/cli/package-root.js";
import { table } from "../src/report/markdown.js";
import { median } from "../src/statistics/median.js";
import { seededRandom } from "../src/statistics/random.js";
import { pairedRatio } from "../src/statistics/ratio.js";
import { onPath, twoCpus, withServer } from "./processes.js";
import { autocannon, loopool, type Told, type Tool, wrk } from "./tools.js";

/**
 * The generator against others, in blocks that hold every tool once in a seeded order, one process per run and none warmed up:
 * `node dist/bench/generator.js [--blocks 7] [--seconds 2] [--seed 1]`. Writes bench/results/<date>-generator.json, prints two
 * tables, and exits 1 where a bar is missed.
 */
const { values: flags } = parseArgs({
  options: {
    blocks: { type: "string", default: "7" },
    seconds: { type: "string", default: "2" },
    seed: { type: "string", default: "1" },
  },
});
const [blocks, seconds, seed] = [flags.blocks, flags.seconds, flags.seed].map((text) => {
  const value = Number(text);
  if (!(Number.isInteger(value) && value > 0)) throw new Error(`"${text}": give a whole number above 0`);
  return value;
}) as [number, number, number];

interface Case {
  readonly name: string;
  /** The server's command, for Node. */
  readonly server: readonly string[];
  readonly path: string;
  readonly concurrency: number;
  readonly tools: readonly Tool[];
}

/** One run of one tool. */
interface Run extends Told {
  readonly case: string;
  readonly block: number;
  readonly tool: string;
}

type Figure = "requestsPerSecond" | "p50Ms" | "p99Ms";

/** A demand on the median over the blocks of loopool's figure ÷ the other tool's; without limits it is only told. */
interface Bar {
  readonly case: string;
  readonly figure: Figure;
  readonly other: string;
  readonly atLeast: number | null;
  readonly atMost: number | null;
}

const installedWrk = onPath("wrk") ? [wrk(wrkVersion())] : [];
const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

const cases: readonly Case[] = [
  {
    name: "bare µWS, c=100",
    server: [here("./bare-server.js")],
    path: "/",
    concurrency: 100,
    tools: [loopool, autocannon, ...installedWrk],
  },
  {
    // Server-bound: where the generator's core is full, wrk's percentiles break Little's law and ours hold our own queue.
    name: "/cpu?us=200, c=10",
    server: [here("../src/cli/main.js"), "serve", "--mode", "reactor", "--host", "127.0.0.1", "--port", "0"],
    path: "/cpu?us=200",
    concurrency: 10,
    tools: [loopool, ...installedWrk],
  },
];

const bars: readonly Bar[] = [
  { case: cases[0]!.name, figure: "requestsPerSecond", other: "autocannon", atLeast: 1.6, atMost: null },
  { case: cases[0]!.name, figure: "requestsPerSecond", other: "wrk", atLeast: null, atMost: null },
  ...(["requestsPerSecond", "p50Ms", "p99Ms"] as const).map((figure) => ({
    case: cases[1]!.name,
    figure,
    other: "wrk",
    atLeast: 0.9,
    atMost: 1.1,
  })),
];

const startedAt = new Date().toISOString();
const pinning = twoCpus();
const random = seededRandom(seed);
const runs: Run[] = [];
for (const one of cases) await measure(one);

const rows = cases.flatMap(({ name, tools }) =>
  tools.map((tool) => [
    `${name}: ${tool.name} ${tool.version}`,
    spread(figures(name, tool.name, "requestsPerSecond"), 0),
    spread(figures(name, tool.name, "p50Ms"), 3),
    spread(figures(name, tool.name, "p99Ms"), 3),
  ]),
);
const comparisons = bars.flatMap(compare);
console.log(table(["median (range)", "requests/s", "p50 ms", "p99 ms"], rows));
console.log();
console.log(
  table(
    ["loopool ÷ other", "median ratio", "95% interval of the mean", "bar", ""],
    comparisons.map(({ bar, ratio, interval, met }) => [
      `${bar.case}: ${bar.figure} ÷ ${bar.other}'s`,
      ratio.toFixed(2),
      interval === null ? "none" : `${interval.low.toFixed(2)} – ${interval.high.toFixed(2)}`,
      [bar.atLeast === null ? "" : `≥ ${bar.atLeast}`, bar.atMost === null ? "" : `≤ ${bar.atMost}`].join(" ").trim(),
      bar.atLeast === null && bar.atMost === null ? "" : met ? "met" : "MISSED",
    ]),
  ),
);
const failedRuns = runs.filter(({ errors }) => errors > 0);
for (const { tool, block, errors } of failedRuns)
  console.log(`\nInvalid: ${tool} had ${errors} errors in block ${block}`);
const file = resultFile();
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `${JSON.stringify(stored())}\n`);
console.log(`\nResult: ${file}`);
if (failedRuns.length > 0 || comparisons.some(({ met }) => !met)) process.exitCode = 1;

/** All blocks of a case against one server process. */
async function measure({ name, server, path, concurrency, tools }: Case): Promise<void> {
  await withServer(pinning.server, [process.execPath, ...server], async (port) => {
    const url = `http://127.0.0.1:${port}${path}`;
    const task = { url, concurrency, seconds, cpu: pinning.generator };
    // Warms the server up, and tells how many requests fill the time.
    const trial = await loopool.run({ ...task, requests: 5000 });
    const requests = Math.max(concurrency, Math.round(trial.requestsPerSecond * seconds));
    for (let block = 0; block < blocks; block++) {
      for (const tool of shuffled(tools)) {
        runs.push({ case: name, block, tool: tool.name, ...(await tool.run({ ...task, requests })) });
      }
    }
  });
}

/** Fisher and Yates, in Durstenfeld's form. */
function shuffled<T>(items: readonly T[]): readonly T[] {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}

function figures(name: string, tool: string, figure: Figure): readonly number[] {
  return runs.filter((run) => run.case === name && run.tool === tool).map((run) => run[figure]);
}

function compare(bar: Bar) {
  const ours = figures(bar.case, loopool.name, bar.figure);
  const others = figures(bar.case, bar.other, bar.figure);
  // The other tool is not installed here.
  if (others.length === 0) return [];
  const ratio = median(ours.map((value, block) => value / others[block]!));
  const interval = pairedRatio(others, ours, { seed })?.interval ?? null;
  const met = (bar.atLeast === null || ratio >= bar.atLeast) && (bar.atMost === null || ratio <= bar.atMost);
  return [{ bar, ratio, interval, met }];
}

function spread(values: readonly number[], decimals: number): string {
  const [middle, low, high] = [median(values), Math.min(...values), Math.max(...values)].map((value) =>
    value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals }),
  );
  return `${middle} (${low} – ${high})`;
}

function stored() {
  const versions = Object.fromEntries(cases.flatMap(({ tools }) => tools.map(({ name, version }) => [name, version])));
  return {
    schema: "loopool-generator/1",
    command: `node dist/bench/generator.js --blocks ${blocks} --seconds ${seconds} --seed ${seed}`,
    startedAt,
    environment: {
      cpuModel: cpus()[0]?.model ?? "unknown",
      cores: cpus().length,
      kernel: release(),
      node: process.versions.node,
      pinning,
      versions,
    },
    runs,
    comparisons,
  };
}

/** A name that is free: no earlier result is overwritten. */
function resultFile(): string {
  const base = `${packageRoot}/bench/results/${startedAt.slice(0, 10)}-generator`;
  for (let count = 1; ; count++) {
    const name = `${base}${count === 1 ? "" : `-${count}`}.json`;
    if (!existsSync(name)) return name;
  }
}

function wrkVersion(): string {
  const said = spawnSync("wrk", ["-v"], { encoding: "utf8" });
  return /^wrk (\S+)/.exec(`${said.stdout}${said.stderr}`)?.[1] ?? "of unknown version";
}
