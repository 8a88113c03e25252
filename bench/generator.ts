import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { table } from "../src/harness/report/markdown.js";
import { median } from "../src/harness/statistics/median.js";
import { seededRandom } from "../src/harness/statistics/random.js";
import { pairedRatio } from "../src/harness/statistics/ratio.js";
import { packageRoot } from "../src/shared/package-root.js";
import { type Bar, bars, type Case, cases, type Figure, FULL, LAW_LIMIT, wrk } from "./generator-cases.js";
import { cpuTimesOf, machineUserSeconds, twoCpus, withOpenFiles, withServer } from "./processes.js";
import { loopool, type Task, type Told, type Tool } from "./tools.js";

/**
 * What the generator has to show, beside others: in blocks that hold every tool once in a seeded order, one process per run.
 * `npm run bench -- generator [--blocks 9] [--seconds 2] [--seed 1] [--repeats 10] [--only TEXT]`, the last for cases whose name
 * holds the text. A run during which something else needed the CPUs is thrown away and repeated, whatever it found.
 * Writes bench/results/<date>-generator.json, prints what was measured and what was demanded, and exits 1 where a bar is missed.
 */
const { values: flags } = parseArgs({
  options: {
    blocks: { type: "string", default: "9" },
    seconds: { type: "string", default: "2" },
    seed: { type: "string", default: "1" },
    repeats: { type: "string", default: "10" },
    only: { type: "string", default: "" },
  },
});
const [blocks, seconds, seed, repeats] = [flags.blocks, flags.seconds, flags.seed, flags.repeats].map((text) => {
  const value = Number(text);
  if (!(Number.isInteger(value) && value > 0)) throw new Error(`"${text}": give a whole number above 0`);
  return value;
}) as [number, number, number, number];

/** Files that a server of ten thousand connections has open. */
const OPEN_FILES = 40_000;

/** Share of all CPUs that other processes may have used in user mode during a run. */
const OTHERS_LIMIT = 0.04;

/** One run of one tool. */
interface Run extends Told {
  readonly case: string;
  readonly block: number;
  readonly tool: string;
  /** Share of all CPUs that other processes used in user mode meanwhile; null where nothing tells it. */
  readonly othersShare: number | null;
  /** Runs before it that were thrown away because of others. */
  readonly disturbed: number;
  /** CPU time of the server ÷ time, while it was loaded: 1 is a full CPU. Null where nothing tells it. */
  readonly serverShare: number | null;
}

/** Something demanded, or only told, and what was found. */
interface Check {
  readonly what: string;
  readonly bar: string;
  readonly measured: string;
  /** Null where nothing is demanded. */
  readonly met: boolean | null;
}

const startedAt = new Date().toISOString();
const pinning = twoCpus();
const random = seededRandom(seed);
const runs: Run[] = [];
const chosen = cases.filter(({ name }) => name.includes(flags.only));
if (wrk === null) console.log("wrk is not installed here: the rows beside it are left out\n");
for (const one of chosen) await measure(one);

const comparisons = bars.flatMap(compare);
const checks: readonly Check[] = [
  ...comparisons.map(comparisonCheck),
  ...chosen.flatMap(accountChecks),
  ...chosen.flatMap(limits),
];
console.log(
  table(
    ["median (range)", "requests/s", "p50 ms", "p99 ms", "p99.9 ms", "CPU µs/request"],
    chosen.flatMap(({ name, tools }) =>
      tools.map((tool) => [
        `${name}: ${tool.name} ${tool.version}`,
        spread(metrics(name, tool.name, "requestsPerSecond"), 0),
        ...(["p50Ms", "p99Ms", "p999Ms"] as const).map((figure) => spread(metrics(name, tool.name, figure), 3)),
        spread(metrics(name, tool.name, "cpuMicrosPerRequest"), 2),
      ]),
    ),
  ),
);
console.log();
console.log(
  table(
    ["", "bar", "measured", "met"],
    checks.map(({ what, bar, measured, met }) => [what, bar, measured, met === null ? "" : met ? "yes" : "NO"]),
  ),
);
const [repeated, left] = [
  runs.reduce((sum, { disturbed }) => sum + disturbed, 0),
  runs.filter(({ othersShare }) => (othersShare ?? 0) > OTHERS_LIMIT).length,
];
console.log(
  `\n${repeated} runs were disturbed by other processes and repeated; ${left} of ${runs.length} that count were, too`,
);
const file = resultFile();
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `${JSON.stringify(stored())}\n`);
console.log(`\nResult: ${file}`);
if (checks.some(({ met }) => met === false)) process.exitCode = 1;

/** All blocks of a case against one server process. */
async function measure(one: Case): Promise<void> {
  const command = withOpenFiles(OPEN_FILES, [process.execPath, ...one.server]);
  await withServer(pinning.server, command, async (port, pid) => {
    const { concurrency, keepAlive, tools } = one;
    const url = `http://127.0.0.1:${port}${one.path}`;
    const cpu = one.pinned ? pinning.generator : null;
    const task = { url, concurrency, keepAlive, seconds: seconds * one.longer, cpu };
    // Warms the server up.
    await loopool.run({ ...task, seconds: 1 });
    for (let block = 0; block < Math.max(1, Math.round(blocks * one.blocksShare)); block++) {
      for (const tool of shuffled(tools)) {
        runs.push({ case: one.name, block, tool: tool.name, ...(await undisturbed(tool, task, pid)) });
      }
    }
  });
}

type Watched = Told & Pick<Run, "serverShare" | "othersShare">;

/** Repeats a run that others disturbed, while repeats are left; what it found has no say in that. */
async function undisturbed(tool: Tool, task: Task, pid: number): Promise<Watched & Pick<Run, "disturbed">> {
  for (let disturbed = 0; ; disturbed++) {
    const run = await watched(tool, task, pid);
    if ((run.othersShare ?? 0) <= OTHERS_LIMIT || disturbed === repeats) return { ...run, disturbed };
  }
}

/** Runs a tool once, with an eye on the server and on what else the machine does. */
async function watched(tool: Tool, task: Task, pid: number): Promise<Watched> {
  const [serverBefore, machineBefore, startMs] = [cpuTimesOf(pid), machineUserSeconds(), performance.now()];
  const told = await tool.run(task);
  const [serverAfter, machineAfter, endMs] = [cpuTimesOf(pid), machineUserSeconds(), performance.now()];
  if (serverBefore === null || serverAfter === null || machineBefore === null || machineAfter === null) {
    return { ...told, serverShare: null, othersShare: null };
  }
  const user = serverAfter.user - serverBefore.user;
  const server = user + serverAfter.system - serverBefore.system;
  const others = machineAfter - machineBefore - user - (told.cpu?.user ?? 0);
  return {
    ...told,
    // By request and not by time: the server rests while a tool starts and ends.
    serverShare: (server / told.completed) * told.requestsPerSecond,
    othersShare: Math.max(0, others) / (((endMs - startMs) / 1000) * cpus().length),
  };
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

function runsOf(name: string, tool: string): readonly Run[] {
  return runs.filter((run) => run.case === name && run.tool === tool);
}

function metrics(name: string, tool: string, figure: Figure): readonly number[] {
  return runsOf(name, tool).flatMap((run) => run[figure] ?? []);
}

function compare(bar: Bar) {
  const ours = metrics(bar.case, bar.tool, bar.figure);
  const others = metrics(bar.case, bar.other, bar.figure);
  // The other tool is not installed here, or the case was not asked for.
  if (ours.length === 0 || others.length !== ours.length) return [];
  // What a tool does not tell is 0 here, and has no ratio.
  const found = pairedRatio(others, ours);
  if (found === null) return [];
  const { ratio, interval } = found;
  const demanded = bar.atLeast !== null || bar.atMost !== null;
  const met = (bar.atLeast === null || ratio >= bar.atLeast) && (bar.atMost === null || ratio <= bar.atMost);
  return [{ bar, ratio, interval, met: demanded ? met : null }];
}

function comparisonCheck({ bar, ratio, interval, met }: ReturnType<typeof compare>[number]): Check {
  const limits = [bar.atLeast === null ? "" : `≥ ${bar.atLeast}`, bar.atMost === null ? "" : `≤ ${bar.atMost}`];
  const range = interval === null ? "" : ` [${interval.low.toFixed(3)}, ${interval.high.toFixed(3)}]`;
  return {
    what: `${bar.case}: ${bar.figure}, ${bar.tool} ÷ ${bar.other}`,
    bar: limits.join(" ").trim(),
    measured: `${ratio.toFixed(3)}${range}`,
    met,
  };
}

/** What every run of ours has to keep: no errors, all connections, and Little's law. */
function accountChecks({ name, concurrency, tools }: Case): readonly Check[] {
  return tools.flatMap((tool) => {
    const own = runsOf(name, tool.name).flatMap(({ own, errors }) => (own === undefined ? [] : [{ ...own, errors }]));
    if (own.length === 0) return [];
    const worst = Math.max(...own.map(({ busyConnections }) => Math.abs(concurrency - busyConnections) / concurrency));
    const failed = own.reduce((sum, { errors }) => sum + errors, 0);
    const fewest = Math.min(...own.map(({ peakConnections }) => peakConnections));
    return [
      {
        what: `${name}: ${tool.name}, |c − requests/s × mean latency| ÷ c, worst of ${own.length} trials`,
        bar: `≤ ${(LAW_LIMIT * 100).toFixed(0)}%`,
        measured: `${(worst * 100).toFixed(2)}%`,
        met: worst <= LAW_LIMIT,
      },
      {
        what: `${name}: ${tool.name}, errors; connections in every trial`,
        bar: `0; ${concurrency}`,
        measured: `${failed}; ${fewest}`,
        met: failed === 0 && fewest === concurrency,
      },
    ];
  });
}

/** Which side was the limit of each of our generators. */
function limits({ name, tools }: Case): readonly Check[] {
  return tools.flatMap((tool) => {
    const shares = runsOf(name, tool.name).flatMap(({ own, serverShare }) =>
      own === undefined || serverShare === null ? [] : [{ generator: own.loopShare, server: serverShare }],
    );
    if (shares.length === 0) return [];
    const [generator, server] = [median(shares.map((share) => share.generator)), median(shares.map((s) => s.server))];
    const limit =
      server >= FULL
        ? "the server was the limit"
        : generator >= FULL
          ? "the generator was the limit"
          : "neither was full";
    return [
      {
        what: `${name}: ${tool.name}, busy: its fullest thread; the server`,
        bar: "",
        measured: `${percent(generator)}; ${percent(server)}: ${limit}`,
        met: null,
      },
    ];
  });
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)}%`;
}

function spread(values: readonly number[], decimals: number): string {
  if (values.length === 0) return "";
  const [middle, low, high] = [median(values), Math.min(...values), Math.max(...values)].map((value) =>
    value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals }),
  );
  return `${middle} (${low} – ${high})`;
}

function stored() {
  const tools = chosen.flatMap((one) => one.tools);
  return {
    schema: "loopool-generator/2",
    command: `node dist/bench/generator.js --blocks ${blocks} --seconds ${seconds} --seed ${seed} --repeats ${repeats}${flags.only === "" ? "" : ` --only "${flags.only}"`}`,
    startedAt,
    environment: {
      cpuModel: cpus()[0]?.model ?? "unknown",
      cores: cpus().length,
      kernel: release(),
      node: process.versions.node,
      pinning,
      versions: Object.fromEntries(tools.map(({ name, version }) => [name, version])),
    },
    runs,
    comparisons,
    checks,
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
