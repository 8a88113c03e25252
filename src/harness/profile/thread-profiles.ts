import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { extname } from "node:path";
import { LoopoolError } from "../../shared/errors.js";
import { type ProfileLoad, profileServer } from "./profiled-server.js";
import type { ProfilerAnswer, ProfilerRequest } from "./profiler-messages.js";

// Beside this file and with its extension, so that sources and build both work.
const profiler = new URL(`./thread-profiler${extname(import.meta.url)}`, import.meta.url).href;

/**
 * Loads a server, by its script and arguments, and writes a CPU profile of each of its threads, of the load alone, to a folder: main.cpuprofile,
 * worker-1.cpuprofile, … Resolves with the number of requests answered. Throws as profileServer does.
 */
export async function profileThreads(
  server: readonly string[],
  load: ProfileLoad,
  folder: string,
  signal: AbortSignal,
): Promise<number> {
  const { answered } = await profileServer(
    {
      command: [process.execPath, "--import", profiler, ...server],
      environment: {},
      onWarm: (child) => ask(child, { type: "start" }),
      onLoaded: (child) => ask(child, { type: "stop", folder }),
    },
    load,
    signal,
  );
  return answered;
}

async function ask(child: ChildProcess, request: ProfilerRequest): Promise<void> {
  const answered = once(child, "message") as Promise<[ProfilerAnswer]>;
  const left = once(child, "exit").then((): never => {
    throw new LoopoolError("NO_PROFILE", "the server ended while it was profiled");
  });
  left.catch(() => {});
  child.send(request);
  const [answer] = await Promise.race([answered, left]);
  if (answer.type === "failed") throw new LoopoolError("NO_PROFILE", `the inspector has no profile: ${answer.message}`);
}
