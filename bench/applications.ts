import { writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { join } from "node:path";
import Fastify from "fastify";
import { fetchStyle } from "../src/app/adapters/fetch/fetch-style.js";
import { nodeStyle } from "../src/app/adapters/node/node-style.js";
import { table } from "../src/harness/report/markdown.js";
import { median } from "../src/harness/statistics/median.js";
import { importHandlers } from "../src/shared/dispatch/import-handlers.js";
import type { Handler } from "../src/shared/handlers/handler.js";
import { ServerRequest } from "../src/shared/handlers/request.js";
import { responseOf } from "../src/shared/handlers/result.js";
import { partsOfResults } from "../src/shared/handlers/result-parts.js";
import { packageRoot } from "../src/shared/package-root.js";

/**
 * What an application costs between a request and its response, without sockets: µs of CPU a request, `npm run bench -- applications`. Empty
 * applications show what the adapters cost. Writes bench/results/<date>-applications.json.
 */
const ROUNDS = 7;
const REQUESTS = 20_000;

process.env["NODE_ENV"] = "production";

const FIELDS = ["host", "localhost:9090", "user-agent", "bench/1", "accept", "*/*"];
const json = Buffer.from(JSON.stringify({ text: "x".repeat(1000) }));
const JSON_FIELDS = [...FIELDS, "content-type", "application/json", "content-length", String(json.byteLength)];
const partsOf = partsOfResults();

interface Case {
  readonly name: string;
  /** Runs one request to its response. */
  readonly run: () => unknown;
}

function get(name: string, handler: Handler): Case {
  return { name, run: () => ask(handler, new ServerRequest(headOf("GET", FIELDS))) };
}

function post(name: string, handler: Handler): Case {
  const run = (): unknown => {
    const request = new ServerRequest(headOf("POST", JSON_FIELDS));
    request.body = json;
    return ask(handler, request);
  };
  return { name: `${name}, 1 KiB of JSON back`, run };
}

const headOf = (method: string, fields: readonly string[]) => ({
  method,
  path: method === "GET" ? "/" : "/echo",
  query: "",
  headers: {},
  fields,
});

async function ask(handler: Handler, request: ServerRequest): Promise<void> {
  const response = responseOf(await handler(request), partsOf);
  if (response.status !== 200) throw new Error(`status ${response.status}`);
}

/** Those of the tests: each answers GET / and POST /echo. */
async function handlerOf(file: string): Promise<Handler> {
  return (await importHandlers(join(packageRoot, "test", "app", "apps", file))).fallback!;
}

const fastify = Fastify();
fastify.get("/", async () => "hello");
const [hono, express5, express4, koa, ownFastify] = await Promise.all(
  ["hono.ts", "express5.ts", "express4.ts", "koa.mjs", "fastify.ts"].map(handlerOf),
);
const cases: readonly Case[] = [
  { name: "new Response alone", run: () => new Response("hello") },
  get(
    "fetch style, empty",
    fetchStyle(() => new Response("hello"), "http"),
  ),
  get("Hono", hono!),
  post("Hono", hono!),
  get(
    "Node style, empty",
    nodeStyle((_, response) => response.end("hello"), "http"),
  ),
  get("Express 5", express5!),
  post("Express 5", express5!),
  get("Express 4", express4!),
  get("Koa", koa!),
  get("Fastify", ownFastify!),
  post("Fastify", ownFastify!),
  { name: "Fastify through light-my-request (its inject)", run: () => fastify.inject({ method: "GET", url: "/" }) },
];

const micros = new Map<string, number[]>(cases.map(({ name }) => [name, []]));
const startedAt = new Date().toISOString();
// The first round warms up.
for (let round = 0; round <= ROUNDS; round++) {
  for (const { name, run } of cases) {
    const before = process.cpuUsage();
    for (let i = 0; i < REQUESTS; i++) await run();
    const { user, system } = process.cpuUsage(before);
    if (round > 0) micros.get(name)!.push((user + system) / REQUESTS);
  }
}

const rows = [...micros].map(([name, values]) => [
  name,
  median(values).toFixed(1),
  `${Math.min(...values).toFixed(1)} – ${Math.max(...values).toFixed(1)}`,
]);
console.log(table(["µs of CPU a request", "median", "range"], rows));
const environment = {
  cpuModel: cpus()[0]?.model ?? "unknown",
  cores: cpus().length,
  kernel: release(),
  node: process.versions.node,
};
const file = `${packageRoot}/bench/results/${startedAt.slice(0, 10)}-applications.json`;
const command = "npm run bench -- applications";
const result = {
  schema: "loopool-applications/1",
  command,
  startedAt,
  environment,
  microsOfCpu: Object.fromEntries(micros),
};
writeFileSync(file, `${JSON.stringify(result, null, 1)}\n`);
console.log(`\nResult: ${file}`);
