import { writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { table } from "../src/harness/report/markdown.js";
import { median } from "../src/harness/statistics/median.js";
import { packageRoot } from "../src/shared/package-root.js";
import { output, twoCpus, withServer } from "./processes.js";

/**
 * What a thousand connections that send their heads a byte a second do to those who behave: p99 of ten of them over /hello, with and without
 * the thousand, in turn, each pair against a server of its own. `npm run bench -- slowloris [PAIRS]`. Writes
 * bench/results/<date>-slowloris.json and exits 1 where the median ratio is above two.
 */
const pairs = Number(process.argv[2] ?? 10);
const SLOW_CONNECTIONS = 1000;
const MAX_RATIO = 2;
const HEAD = "GET /hello HTTP/1.1\r\nHost: x\r\nA: ".padEnd(10_000, "a");

const main = fileURLToPath(new URL("../src/cli/main.js", import.meta.url));
const cpus = twoCpus();

/** p99, ms, as the generator reports it. */
async function p99(port: number): Promise<number> {
  const args = ["load", "--duration", "2", "--warmup", "0.5s", "--concurrency", "10", `http://127.0.0.1:${port}/hello`];
  const text = await output(cpus.generator, [process.execPath, main, ...args]);
  const found = Number(/^ {2}99% +([\d.]+)/m.exec(text)?.[1]);
  if (!(found > 0) || !/^Failed requests: +0$/m.test(text)) throw new Error(`no clean result: ${text}`);
  return found;
}

/** Keeps that many connections, each of which sends a byte a second; one that the server closes is opened again. Returns how to end it. */
async function besiege(port: number): Promise<() => void> {
  const sockets = new Set<Socket>();
  let isOver = false;
  const open = (): Promise<void> =>
    new Promise((resolve) => {
      let at = 0;
      const socket = connect(port, "127.0.0.1", () => resolve());
      const timer = setInterval(() => socket.write(HEAD[at++]!), 1000);
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        clearInterval(timer);
        sockets.delete(socket);
        if (!isOver) open();
      });
    });
  while (sockets.size < SLOW_CONNECTIONS) await Promise.all(Array.from({ length: 100 }, open));
  return () => {
    isOver = true;
    for (const socket of sockets) socket.destroy();
  };
}

const results: Record<string, { undisturbedMs: number; besiegedMs: number; ratio: number }[]> = {};
for (const mode of ["reactor", "pool"]) {
  results[mode] = [];
  for (let index = 0; index < pairs; index++) {
    const serve = ["serve", `--mode=${mode}`, "--workers=1", "--host=127.0.0.1", "--port=0", "--config=off"];
    await withServer(cpus.server, [process.execPath, main, ...serve], async (port) => {
      const besieged = async (): Promise<number> => {
        const end = await besiege(port);
        return p99(port).finally(end);
      };
      const [first, second] = index % 2 === 0 ? [p99, besieged] : [besieged, p99];
      const metrics = [await first(port), await second(port)] as const;
      const [undisturbedMs, besiegedMs] = index % 2 === 0 ? metrics : [metrics[1], metrics[0]];
      results[mode]!.push({ undisturbedMs, besiegedMs, ratio: besiegedMs / undisturbedMs });
    });
  }
}

const rows = Object.entries(results).map(([mode, trials]) => {
  const of = (name: "undisturbedMs" | "besiegedMs" | "ratio"): number[] => trials.map((trial) => trial[name]);
  const ratios = of("ratio").sort((a, b) => a - b);
  return [
    mode,
    median(of("undisturbedMs")).toFixed(3),
    median(of("besiegedMs")).toFixed(3),
    `${median(ratios).toFixed(2)} [${ratios[0]!.toFixed(2)}, ${ratios.at(-1)!.toFixed(2)}]`,
  ];
});
console.log(table(["core", "p99 undisturbed, ms", "p99 besieged, ms", "ratio [least, most]"], rows));
const file = `${packageRoot}/bench/results/${new Date().toISOString().slice(0, 10)}-slowloris.json`;
writeFileSync(file, `${JSON.stringify({ pairs, slowConnections: SLOW_CONNECTIONS, results }, null, 2)}\n`);
process.exitCode = Object.values(results).every((trials) => median(trials.map(({ ratio }) => ratio)) <= MAX_RATIO)
  ? 0
  : 1;
