import { parseArgs } from "node:util";
import { resolveSettings } from "../../src/cli/settings/resolve.js";
import { gather } from "../../src/cli/settings/sources.js";
import { startServer } from "../../src/server.js";
import { packageRoot } from "../../src/shared/package-root.js";
import { DEFAULT_FILE_RULES } from "../../src/shared/static/representation.js";
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
    mode: core.name,
    front: "uws",
    host: values.host,
    unix: null,
    tls: null,
    port: Number(values.port),
    root: `${packageRoot}/www`,
    workers: { min: workers, max: workers },
    workerIdleMs: 10_000,
    workerMemoryMiB: null,
    requestTimeoutMs: null,
    queue: 1024,
    cacheBytes: 64 * 2 ** 20,
    files: DEFAULT_FILE_RULES,
    handlers: null,
    iterationsPerMicro: iterations === undefined ? null : Number(iterations),
    log: null,
    mirror: true,
    limits: resolveSettings(gather({ config: "off" }, {}, ".")).limits,
    adminToken: null,
    drainTimeoutMs: 10_000,
  },
  [core],
);
process.once("SIGTERM", async () => {
  await server.stop();
  process.exit(0);
});
console.log(`loopool piscina listening on ${server.url} pid ${process.pid} workers ${server.workers}`);
