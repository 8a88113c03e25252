import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { table } from "../src/harness/report/markdown.js";
import { median } from "../src/harness/statistics/median.js";
import { packageRoot } from "../src/shared/package-root.js";
import type { EventsSeen } from "./fixtures/event-client.js";
import { twoCpus, withOpenFiles, withServer } from "./processes.js";
import { loopool } from "./tools.js";

/**
 * Many open streams of events, an event each ten seconds, for a minute: whether any is lost, what memory does, and what /hello still serves:
 * `npm run bench -- streams [STREAMS [SECONDS]]`, for both cores. Writes bench/results/<date>-streams.json and exits 1 where a bar is missed.
 * Linux only.
 */
const streams = Number(process.argv[2] ?? 5000);
const seconds = Number(process.argv[3] ?? 60);
const CORES = ["reactor", "pool"] as const;
const CONCURRENCY = 100;
const REQUESTS = 60_000;
/** Between two events of a stream, as body-handlers.ts has it. */
const EVENT_SECONDS = 10;
/** Requests to /hello beside the streams, and as often without them before and after. */
const LOADS = 3;

const handlers = fileURLToPath(new URL("./fixtures/body-handlers.js", import.meta.url));
const client = fileURLToPath(new URL("./fixtures/event-client.js", import.meta.url));
const program = fileURLToPath(new URL("../src/cli/main.js", import.meta.url));
const startedAt = new Date().toISOString();
const pinning = twoCpus();

/** Streams that are open in a process of their own. */
class OpenStreams {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  constructor(port: number) {
    const [command, ...args] = withOpenFiles(streams + 100, [
      process.execPath,
      client,
      String(port),
      String(streams),
    ]) as [string, ...string[]];
    this.#child = spawn(command, args);
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  async seen(): Promise<EventsSeen> {
    this.#child.stdin.write("\n");
    return JSON.parse((await this.#lines.next()).value as string) as EventsSeen;
  }

  async untilOpen(): Promise<void> {
    for (let seen = await this.seen(); seen.open < streams; seen = await this.seen()) {
      if (seen.lost > 0) throw new Error(`${seen.lost} streams were refused`);
      await sleep(100);
    }
  }

  async close(): Promise<void> {
    this.#child.stdin.end();
    await once(this.#child, "exit");
  }
}

function rssMiBOf(pid: number): number {
  return Number(/^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

async function measure(core: string) {
  const flags = [`--mode=${core}`, "--workers=1", "--host=127.0.0.1", "--port=0", `--handlers=${handlers}`];
  const command = withOpenFiles(streams + 1000, [process.execPath, program, "serve", ...flags]);
  return withServer(null, command, async (port, pid) => {
    const task = {
      url: `http://127.0.0.1:${port}/hello`,
      concurrency: CONCURRENCY,
      seconds: 0,
      cpu: pinning.generator,
    };
    const hello = async (): Promise<number> => {
      const { requestsPerSecond, errors } = await loopool.run({ ...task, requests: REQUESTS });
      if (errors > 0) throw new Error(`${core}: ${errors} errors at /hello`);
      return requestsPerSecond;
    };
    const times = async (): Promise<number[]> => {
      const rates: number[] = [];
      for (let i = 0; i < LOADS; i++) rates.push(await hello());
      return rates;
    };
    await hello();
    const before = await times();
    const open = new OpenStreams(port);
    await open.untilOpen();
    const beside = await times();
    const rssBeforeMiB = rssMiBOf(pid);
    const first = await open.seen();
    await sleep(seconds * 1000);
    const { lost, events } = await open.seen();
    const rssAfterMiB = rssMiBOf(pid);
    await open.close();
    const after = await times();
    return {
      core,
      lost,
      eventsPerSecond: (events - first.events) / seconds,
      rssBeforeMiB,
      rssAfterMiB,
      before,
      beside,
      after,
    };
  });
}

const measured: Awaited<ReturnType<typeof measure>>[] = [];
for (const core of CORES) measured.push(await measure(core));

const helloRatio = ({ before, beside, after }: (typeof measured)[number]): number =>
  median(beside) / median([...before, ...after]);
const bars = measured.flatMap((run) => [
  { name: `${run.core}: no stream is lost`, isMet: run.lost === 0 },
  { name: `${run.core}: their events arrive`, isMet: run.eventsPerSecond >= (0.9 * streams) / EVENT_SECONDS },
  { name: `${run.core}: memory grows by a tenth at most`, isMet: run.rssAfterMiB <= 1.1 * run.rssBeforeMiB },
  { name: `${run.core}: /hello serves 0.95 × of what it does without`, isMet: helloRatio(run) >= 0.95 },
]);
console.log(
  table(
    [
      `${streams} streams, ${seconds} s`,
      "lost",
      "events/s",
      "MiB before",
      "MiB after",
      "/hello/s without",
      "beside",
      "ratio",
    ],
    measured.map((run) => [
      run.core,
      String(run.lost),
      run.eventsPerSecond.toFixed(0),
      run.rssBeforeMiB.toFixed(0),
      run.rssAfterMiB.toFixed(0),
      median([...run.before, ...run.after]).toFixed(0),
      median(run.beside).toFixed(0),
      helloRatio(run).toFixed(3),
    ]),
  ),
);
for (const { name, isMet } of bars) console.log(`${isMet ? "met" : "MISSED"}: ${name}`);

const stored = {
  schema: "loopool-streams/1",
  startedAt,
  node: process.versions.node,
  plan: { streams, seconds },
  measured,
};
const base = `${packageRoot}/bench/results/${startedAt.slice(0, 10)}-streams`;
let file = `${base}.json`;
for (let n = 2; existsSync(file); n++) file = `${base}-${n}.json`;
writeFileSync(file, `${JSON.stringify(stored, null, 1)}\n`);
console.log(`Result: ${file}`);
if (bars.some(({ isMet }) => !isMet)) process.exitCode = 1;
