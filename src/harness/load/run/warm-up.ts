import { once } from "node:events";
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { type LoadOptions, targetOf } from "../request/options.js";
import { run } from "./run.js";

/**
 * V8 compiles for what it has seen: the accounting of a second run are other objects than those of the first, and what it took for granted
 * is compiled anew. Of 300,000 requests of the window 90 ms went into that after a single run, 40 after three; more runs or longer
 * ones changed nothing.
 */
const RUNS = 3;
const CONNECTIONS = 50;
/** Of each run: a request that needs a connection costs ten times as much. */
const REQUESTS = 5000;
const REQUESTS_WITH_CONNECTION = 1500;

// Beside this file and with its extension, so that sources and build both work.
const serverFile = new URL(`./warm-up-server${extname(import.meta.url)}`, import.meta.url);

/**
 * Lets V8 compile the generator before anything is measured, against a server of this process that is gone afterwards: the server
 * to be measured sees none of it, so that its counts stay those of the run.
 */
export async function warmUpGenerator({ keepAlive, timeoutMs }: LoadOptions, signal?: AbortSignal): Promise<void> {
  const server = new Worker(serverFile, { workerData: { keepAlive } });
  try {
    const [port] = (await once(server, "message")) as [number];
    const target = targetOf(`http://127.0.0.1:${port}/`);
    const requests = keepAlive ? REQUESTS : REQUESTS_WITH_CONNECTION;
    const options = { target, requests, concurrency: CONNECTIONS, keepAlive, timeoutMs, headers: [] };
    for (let count = 0; count < RUNS; count++) await run({ ...options, byFirstByte: false }, signal);
  } finally {
    await server.terminate();
  }
}
