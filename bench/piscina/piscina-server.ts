import { parseArgs } from "node:util";
import { startServer } from "../../src/server.js";
import { defaultConfig } from "../../src/shared/default-config.js";
import { type PiscinaSettings, piscinaCore } from "./piscina-core.js";

/** Serves as `loopool serve --mode piscina` would, if there were such a core: the same line, the same /stats.json, the same end on SIGTERM. */
const { values } = parseArgs({
  options: {
    host: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "0" },
    workers: { type: "string", default: "1" },
    "iterations-per-us": { type: "string" },
    atomics: { type: "string", default: "sync" },
    "tasks-per-worker": { type: "string", default: "1" },
  },
});
const iterations = values["iterations-per-us"];
const workers = Number(values.workers);
const core = piscinaCore({
  atomics: values.atomics as PiscinaSettings["atomics"],
  concurrentTasksPerWorker: Number(values["tasks-per-worker"]),
});
const server = await startServer(
  {
    ...defaultConfig(),
    mode: core.name,
    host: values.host,
    port: Number(values.port),
    workers: { min: workers, max: workers },
    requestTimeoutMs: null,
    iterationsPerMicro: iterations === undefined ? null : Number(iterations),
  },
  [core],
);
process.once("SIGTERM", async () => {
  await server.stop();
  process.exit(0);
});
console.log(`loopool piscina listening on ${server.url} pid ${process.pid} workers ${server.workers}`);
