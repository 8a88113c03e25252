import { writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { table } from "../src/harness/report/markdown.js";
import { median } from "../src/harness/statistics/median.js";
import { packageRoot } from "../src/shared/package-root.js";
import { cpuTimesOf, output, twoCpus, withServer } from "./processes.js";

/**
 * Whether the event loop of a worker is served: the share of its ticks that an unref'd interval of 100 ms gets, in a worker that is idle and in
 * one that is saturated with synchronous handlers, beside the reactor's; and what a server without requests costs. `npm run
 * bench -- worker-loop [ROUNDS]`, about 20 s a round. Writes bench/results/<date>-worker-loop.json and exits 1 where a bar is missed.
 */
const rounds = Number(process.argv[2] ?? 5);
const SECONDS = 4;
const IDLE_WORKERS = 4;
const MIN_TICK_SHARE = 0.9;
const MAX_IDLE_CPU_SHARE = 0.01;

const main = fileURLToPath(new URL("../src/cli/main.js", import.meta.url));
const handlers = fileURLToPath(new URL("./fixtures/ticking.js", import.meta.url));
const cpus = twoCpus();

function serve(mode: string, workers: number): readonly string[] {
  const flags = [`--mode=${mode}`, `--workers=${workers}`, `--handlers=${handlers}`, "--host=127.0.0.1", "--port=0"];
  return [process.execPath, main, "serve", ...flags, "--config=off"];
}

/** Ticks per tick that was due, while `meanwhile` goes on. */
async function tickShare(port: number, meanwhile: () => Promise<unknown>): Promise<number> {
  const look = async () =>
    (await (await fetch(`http://127.0.0.1:${port}/ticks`)).json()) as { readonly ticks: number; readonly due: number };
  const before = await look();
  await meanwhile();
  const after = await look();
  return (after.ticks - before.ticks) / (after.due - before.due);
}

interface Round {
  readonly idle: number;
  readonly saturated: number;
  /** CPU seconds per second of a server with four workers that nobody asks anything. */
  readonly idleCpu: number;
}

async function measure(mode: string): Promise<Round> {
  const shares = await withServer(cpus.server, serve(mode, 1), async (port) => {
    const url = `http://127.0.0.1:${port}/ticks`;
    const load = [process.execPath, main, "load", "--duration", String(SECONDS), "--concurrency", "100", url];
    return {
      idle: await tickShare(port, () => pause(SECONDS * 1000)),
      saturated: await tickShare(port, () => output(cpus.generator, load)),
    };
  });
  const idleCpu = await withServer(cpus.server, serve(mode, IDLE_WORKERS), async (port, pid) => {
    await fetch(`http://127.0.0.1:${port}/ticks`);
    await pause(1000);
    const spent = (): number => {
      const times = cpuTimesOf(pid);
      return times === null ? Number.NaN : times.user + times.system;
    };
    const before = spent();
    await pause(SECONDS * 1000);
    return (spent() - before) / SECONDS;
  });
  return { ...shares, idleCpu };
}

const results: Record<string, Round[]> = { reactor: [], pool: [] };
for (let round = 0; round < rounds; round++) {
  for (const mode of round % 2 === 0 ? ["reactor", "pool"] : ["pool", "reactor"]) {
    results[mode]!.push(await measure(mode));
  }
}

const shown = (trials: readonly Round[], name: keyof Round): string => {
  const values = trials.map((trial) => 100 * trial[name]).sort((a, b) => a - b);
  return `${median(values).toFixed(1)}% [${values[0]!.toFixed(1)}, ${values.at(-1)!.toFixed(1)}]`;
};
const rows = Object.entries(results).map(([mode, trials]) => [
  mode,
  shown(trials, "idle"),
  shown(trials, "saturated"),
  shown(trials, "idleCpu"),
]);
console.log(
  table(
    ["core", "ticks, idle [least, most]", "ticks, saturated", `CPU without requests, ${IDLE_WORKERS} workers`],
    rows,
  ),
);
const file = `${packageRoot}/bench/results/${new Date().toISOString().slice(0, 10)}-worker-loop.json`;
writeFileSync(file, `${JSON.stringify({ rounds, seconds: SECONDS, idleWorkers: IDLE_WORKERS, results }, null, 2)}\n`);
const pool = results["pool"]!;
const isMet =
  pool.every(({ idle, saturated }) => Math.min(idle, saturated) >= MIN_TICK_SHARE) &&
  median(pool.map(({ idleCpu }) => idleCpu)) < MAX_IDLE_CPU_SHARE;
process.exitCode = isMet ? 0 : 1;
