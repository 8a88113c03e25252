import { isMainThread } from "node:worker_threads";

/**
 * Loaded before a server that a profiler stands around (`node --import`): ends it when standard input does, which is a pipe from the command
 * that started both. Killed, that command could not say so, and the profiler would wait for the server for ever.
 */
if (isMainThread) {
  process.stdin.on("end", () => process.kill(process.pid, "SIGTERM")).resume();
}
