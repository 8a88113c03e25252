import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { Piscina } from "piscina";
import { Bench } from "tinybench";
import { Histogram } from "../src/harness/load/histogram/histogram.js";
import { ResponseParser } from "../src/harness/load/parser/response-parser.js";
import { table } from "../src/harness/report/markdown.js";
import { median } from "../src/harness/statistics/median.js";
import { cacheBytes } from "../src/shared/cache/layout.js";
import { LOADING_BYTES, Loading } from "../src/shared/cache/loading.js";
import { SharedCache } from "../src/shared/cache/shared-cache.js";
import { threadClock } from "../src/shared/clock.js";
import { DEFAULT_FILE_RULES } from "../src/shared/default-config.js";
import { ClaimRing, claimRingBytes } from "../src/shared/memory/claim-ring.js";
import { packageRoot } from "../src/shared/package-root.js";
import { FileCache } from "../src/shared/static/file-cache.js";
import { SiteRoot } from "../src/shared/static/site-root.js";
import { Counter, statsBytes, ThreadStats } from "../src/shared/stats/stats.js";
import { StatusSegment, statusBytes } from "../src/shared/stats/status-segment.js";
import { startRingPool } from "./ring-pool.js";

/**
 * Micro-benchmarks: `npm run bench -- micro`. Single operations by tinybench, then the pool's rings with real worker threads beside piscina on a
 * task that does nothing, in interleaved rounds. Writes bench/results/<date>-micro.json; exits 1 where a bar is missed.
 */
const ROUNDS = 7;
const TASKS = 100_000;
const PISCINA_TASKS = 20_000;
const IN_FLIGHT = 100;
const WORKERS = 2;
const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

const startedAt = new Date().toISOString();
const operations = await singleOperations();
const rates = await ringBesidePiscina();

const perSlotNs = operations.find(({ name }) => name.startsWith("claim ring"))!.medianNs;
const ratio = median(rates.ring.map((rate, round) => rate / rates.piscina[round]!));
const bars = [
  {
    what: "push, claim and release of a slot in one thread, ns",
    figure: perSlotNs,
    bar: "≤ 150",
    met: perSlotNs <= 150,
  },
  {
    what: `no-op tasks/s, ${IN_FLIGHT} in flight, ${WORKERS} workers: ring ÷ piscina`,
    figure: ratio,
    bar: "≥ 10",
    met: ratio >= 10,
  },
];

console.log(
  table(
    ["operation", "median ns", "p99 ns"],
    operations.map((one) => [one.name, one.medianNs.toFixed(0), one.p99Ns.toFixed(0)]),
  ),
);
console.log();
console.log(
  table(
    ["no-op tasks/s", "median", "range"],
    Object.entries(rates).map(([name, values]) => [
      name,
      thousands(median(values)),
      `${thousands(Math.min(...values))} – ${thousands(Math.max(...values))}`,
    ]),
  ),
);
console.log();
console.log(
  table(
    ["", "figure", "bar", ""],
    bars.map(({ what, figure, bar, met }) => [what, figure.toPrecision(3), bar, met ? "met" : "MISSED"]),
  ),
);
const base = `${packageRoot}/bench/results/${startedAt.slice(0, 10)}-micro`;
let file = `${base}.json`;
for (let n = 2; existsSync(file); n++) file = `${base}-${n}.json`;
const environment = {
  cpuModel: cpus()[0]?.model ?? "unknown",
  cores: cpus().length,
  kernel: release(),
  node: process.versions.node,
};
writeFileSync(
  file,
  `${JSON.stringify({ schema: "loopool-micro/1", command: "npm run bench -- micro", startedAt, environment, operations, tasksPerSecond: rates, bars }, null, 1)}\n`,
);
console.log(`\nResult: ${file}`);
if (bars.some(({ met }) => !met)) process.exitCode = 1;

async function singleOperations(): Promise<readonly { name: string; medianNs: number; p99Ns: number }[]> {
  const shape = { slots: 1024, payloadBytes: 4096 };
  const ring = new ClaimRing(new SharedArrayBuffer(claimRingBytes(shape)), shape);
  const stats = new ThreadStats(new SharedArrayBuffer(statsBytes(1)), 0);
  const histogram = new Histogram();
  const parser = new ResponseParser();
  const response = Buffer.from(
    `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nDate: x\r\nContent-Length: 1024\r\n\r\n${"x".repeat(1024)}`,
  );
  const cacheShape = { bytes: 2 ** 24, threads: 2 };
  const cacheMemory = new SharedArrayBuffer(cacheBytes(cacheShape));
  const shared = new SharedCache({ memory: cacheMemory, shape: cacheShape, thread: 0, maySleep: false, stats });
  const files = new FileCache(
    new SiteRoot("/"),
    DEFAULT_FILE_RULES,
    shared,
    new Loading(new SharedArrayBuffer(LOADING_BYTES), 0),
    stats,
  );
  const names = Array.from({ length: 16 }, (_, i) => `/srv/www/page${i}.html`);
  const map = new Map(names.map((name) => [name, new Uint8Array(1024)]));
  // As if they were compared with the disk an hour from now: none gets old while it is measured.
  const checkedMs = threadClock()() + 3_600_000;
  for (const [name, body] of map) {
    const view = shared.put(name, {
      status: 200,
      head: "version\n\nContent-Type\ntext/html",
      body,
      modifiedMs: 0,
      checkedMs,
    });
    shared.release(view!.pin);
  }
  const echo = new Worker(here("./fixtures/echo.js"));
  await once(echo, "online");
  // A thousand at a time: one alone is shorter than the clock can tell.
  const EACH = 1000;
  const times = (one: (i: number) => void) => () => {
    for (let i = 0; i < EACH; i++) one(i);
  };
  const status = new StatusSegment(new SharedArrayBuffer(statusBytes(1)), 1);
  const pathWords = new Int32Array(Uint8Array.from(Buffer.from("/hello\0\0")).buffer);
  const bench = new Bench({ time: 500, warmupTime: 200 });
  bench
    .add(
      "claim ring: reserve, publish, claim, release",
      times(() => {
        const slot = ring.reserve();
        ring.publish(slot);
        ring.claim(0);
        ring.release(slot);
      }),
    )
    .add(
      "status of a request: take, prepare, begin, end",
      times((i) => {
        status.take(0);
        status.prepare(0, i & 1, pathWords, 0, 6);
        status.begin(0);
        status.end(0);
      }),
    )
    .add(
      "stats: add",
      times(() => stats.add(Counter.requests, 1)),
    )
    .add(
      "cache: a Map",
      times((i) => map.get(names[i & 15]!)),
    )
    .add(
      "cache: a thread's own, hot",
      times((i) => files.get(names[i & 15]!)),
    )
    .add(
      "cache: the shared one, found, pinned and released",
      times((i) => shared.release(shared.get(names[i & 15]!)!.pin)),
    )
    .add(
      "histogram: record",
      times((i) => histogram.record(50_000 + i * 37)),
    )
    .add(
      "response parser: a 1 KiB response in one piece",
      times(() => {
        parser.reset();
        parser.feed(response, response.length);
      }),
    );
  await bench.run();
  const words = new Int32Array(new SharedArrayBuffer(8));
  const waker = new Worker(here("./fixtures/waker.js"), { workerData: words.buffer });
  await once(waker, "online");
  const pool = await startRingPool(1);
  const roundTrips = new Bench({ time: 500, warmupTime: 200 });
  roundTrips
    .add("postMessage to a worker and back", async () => {
      echo.postMessage(0);
      await once(echo, "message");
    })
    .add("a task through the ring to a parked worker and back by the doorbell", () => pool.run(1, 1))
    .add("Atomics.notify to a sleeping thread and back: two wake-ups", () => {
      Atomics.store(words, 0, 1);
      Atomics.notify(words, 0);
      Atomics.wait(words, 1, 0);
      Atomics.store(words, 1, 0);
    });
  await roundTrips.run();
  await Promise.all([echo.terminate(), waker.terminate(), pool.stop()]);
  return [
    ...bench.tasks.map((task) => ({ task, each: EACH })),
    ...roundTrips.tasks.map((task) => ({ task, each: 1 })),
  ].map(({ task, each }) => {
    const { result } = task;
    if (!("latency" in result)) throw new Error(`${task.name}: no result (${result.state})`);
    const ns = (ms: number): number => (ms * 1e6) / each;
    return { name: task.name, medianNs: ns(result.latency.p50), p99Ns: ns(result.latency.p99) };
  });
}

async function ringBesidePiscina(): Promise<{ readonly ring: number[]; readonly piscina: number[] }> {
  const pool = await startRingPool(WORKERS);
  const piscina = new Piscina({
    filename: here("./fixtures/no-op.js"),
    minThreads: WORKERS,
    maxThreads: WORKERS,
    // The best of its settings here: 1, 10, 50 and 100 tasks a worker with atomics "sync", "async" and "disabled". From 10 on they
    // differ by less than their noise; 1 serves under half.
    concurrentTasksPerWorker: IN_FLIGHT,
    atomics: "async",
  });
  const found = { ring: [] as number[], piscina: [] as number[] };
  const timed = async (tasks: number, run: () => Promise<void>): Promise<number> => {
    const startMs = performance.now();
    await run();
    return (tasks / (performance.now() - startMs)) * 1000;
  };
  const runRing = (): Promise<void> => pool.run(TASKS, IN_FLIGHT);
  const runPiscina = async (): Promise<void> => {
    let left = PISCINA_TASKS;
    const connection = async (): Promise<void> => {
      while (left-- > 0) await piscina.run(0);
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, connection));
  };
  try {
    await runRing();
    await runPiscina();
    for (let round = 0; round < ROUNDS; round++) {
      found.ring.push(await timed(TASKS, runRing));
      found.piscina.push(await timed(PISCINA_TASKS, runPiscina));
    }
  } finally {
    await pool.stop();
    await piscina.destroy();
  }
  return found;
}

function thousands(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}
