import { existsSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { targetOf } from "../src/harness/load/request/options.js";
import type { RunResult } from "../src/harness/load/result/run-result.js";
import { run } from "../src/harness/load/run/run.js";
import { table } from "../src/harness/report/markdown.js";
import { packageRoot } from "../src/shared/package-root.js";
import type { Metrics } from "../src/shared/stats/metrics.js";
import { mirrorPath } from "../src/stats-mirror/format.js";
import { mirroredMetrics, readMirror } from "../src/stats-mirror/reader.js";
import { withServer } from "./processes.js";

/**
 * Do the metrics add up? A million requests over 450 connections on each core, errors and aborted requests among them and, in the pool,
 * workers that are killed: what the clients received, /stats.json, /metrics and the mirror must agree, to the last one.
 * `npm run bench -- exactness [REQUESTS]`. Writes bench/results/<date>-exactness.json and exits 1 where they do not.
 */
const requests = Number(process.argv[2] ?? 1_000_000);
const ABORTS = 200;
const KILLS = 20;

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const serve = (mode: string): readonly string[] => [
  process.execPath,
  here("../src/cli/main.js"),
  ...["serve", `--mode=${mode}`, "--workers=2", "--host=127.0.0.1", "--port=0", "--config=off"],
  `--handlers=${here("../test/core/fixtures/behaviours.js")}`,
];

function load(port: number, path: string, count: number, concurrency: number): Promise<RunResult> {
  const target = targetOf(`http://127.0.0.1:${port}${path}`);
  const limits = { keepAlive: true, timeoutMs: 60_000, headers: [], byFirstByte: false };
  return run({ ...limits, target, requests: count, concurrency });
}

/** Sends a request that takes long, and goes away. */
async function abort(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await new Promise((resolve) => socket.once("connect", resolve));
  socket.write("GET /never HTTP/1.1\r\nHost: x\r\n\r\n");
  await pause(20);
  socket.destroy();
}

type Counted = Readonly<Record<string, number>>;

async function measure(
  mode: string,
): Promise<{ readonly clients: Counted; readonly server: Readonly<Record<string, Counted>> }> {
  return await withServer(null, serve(mode), async (port) => {
    const errors = Math.floor(requests / 100);
    const goodRequests = requests - 2 * errors - (mode === "pool" ? KILLS : 0);
    const runs = await Promise.all([
      load(port, "/hello", goodRequests, 440),
      load(port, "/absent", errors, 5),
      load(port, "/throws", errors, 4),
      ...(mode === "pool" ? [load(port, "/exits", KILLS, 1)] : []),
      (async () => {
        for (let i = 0; i < ABORTS; i++) await abort(port);
      })(),
    ]);
    const results = runs.filter((result) => result !== undefined);
    const statuses: Record<string, number> = {};
    for (const { statusCounts } of results) {
      for (const [status, count] of Object.entries(statusCounts)) statuses[status] = (statuses[status] ?? 0) + count;
    }
    const sum = (of: (result: RunResult) => number): number => results.reduce((total, one) => total + of(one), 0);
    const clients = {
      requests: sum(({ sent }) => sent) + ABORTS,
      aborted: ABORTS,
      bodyBytes: sum((r) => r.bodyBytes),
      ...statuses,
    };

    const counted = ({ requests, aborted, bodyBytes, status }: Metrics): Counted => ({
      requests,
      aborted,
      bodyBytes,
      ...status,
    });
    // The mirror first: it shows a server at rest, and asking the server changes what it counts.
    let mirror = mirroredMetrics(await readMirror(mirrorPath(port)));
    while (mirror.inFlight > 0) {
      await pause(100);
      mirror = mirroredMetrics(await readMirror(mirrorPath(port)));
    }
    await pause(300);
    mirror = mirroredMetrics(await readMirror(mirrorPath(port)));
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const json = (await (await fetch(`http://127.0.0.1:${port}/stats.json`)).json()) as Metrics;
    const sample = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(metrics)?.[1]);
    const codes = [...metrics.matchAll(/^loopool_responses_total\{code="(\d+)"\} (\S+)$/gm)];
    const own = { metrics: Buffer.byteLength(metrics) };
    return {
      clients,
      server: {
        mirror: counted(mirror),
        "/metrics": {
          requests: sample("loopool_requests_total") - 1,
          aborted: sample("loopool_requests_aborted_total"),
          bodyBytes: sample("loopool_response_body_bytes_total"),
          ...Object.fromEntries(codes.map(([, code, count]) => [code, Number(count)])),
        },
        // Two requests of our own by then, one of them answered.
        "/stats.json": {
          ...counted(json),
          requests: json.requests - 2,
          bodyBytes: json.bodyBytes - own.metrics,
          "200": json.status["200"]! - 1,
        },
      },
    };
  });
}

const startedAt = new Date().toISOString();
const measured: Record<string, Awaited<ReturnType<typeof measure>>> = {};
const rows: string[][] = [];
let wrong = 0;
for (const mode of ["reactor", "pool"]) {
  const found = await measure(mode);
  measured[mode] = found;
  for (const name of Object.keys(found.clients)) {
    const values = Object.values(found.server).map((one) => one[name] ?? 0);
    const agrees = values.every((value) => value === found.clients[name]);
    if (!agrees) wrong++;
    rows.push([
      `${mode}: ${name}`,
      ...[found.clients[name]!, ...values].map((n) => n.toLocaleString("en-US")),
      agrees ? "agree" : "DIFFER",
    ]);
  }
}
console.log(table(["", "clients", "mirror", "/metrics", "/stats.json", ""], rows));
const base = `${packageRoot}/bench/results/${startedAt.slice(0, 10)}-exactness`;
let file = `${base}.json`;
for (let n = 2; existsSync(file); n++) file = `${base}-${n}.json`;
const plan = { requests, aborts: ABORTS, kills: KILLS, connections: 450 };
const stored = { schema: "loopool-exactness/1", startedAt, node: process.versions.node, plan, measured };
writeFileSync(file, `${JSON.stringify(stored, null, 1)}\n`);
console.log(`\nResult: ${file}`);
if (wrong > 0) process.exitCode = 1;
