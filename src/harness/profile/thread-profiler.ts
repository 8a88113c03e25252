import { writeFileSync } from "node:fs";
import { Session } from "node:inspector";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";
import type { ProfilerAnswer, ProfilerRequest } from "./profiler-messages.js";

/**
 * Loaded before a server that is to be profiled (`node --import`): profiles all its threads from one message of the parent's to the next,
 * unlike --cpu-prof, whose profile begins with the process. A worker is reached through the inspector of the main thread, which interrupts
 * it wherever it is: one that sleeps in Atomics.wait gets no message.
 */
const session = new Session();

/** By the file of its profile: sends a command of the inspector's protocol to one thread. */
type Command = (method: string) => Promise<unknown>;
const threads = new Map<string, Command>();

function main(method: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    session.post(method, (error, result) => (error === null ? resolve(result) : reject(error)));
  });
}

/** Of a worker that the inspector has attached to; answers come as events. */
function worker(sessionId: string): Command {
  let id = 0;
  return (method) =>
    new Promise((resolve, reject) => {
      const message = JSON.stringify({ id: ++id, method });
      const answered = id;
      const listener = ({ params }: { params: { sessionId: string; message: string } }): void => {
        const answer = JSON.parse(params.message) as { id?: number; result?: unknown; error?: { message: string } };
        if (params.sessionId !== sessionId || answer.id !== answered) return;
        session.off("NodeWorker.receivedMessageFromWorker", listener);
        if (answer.error === undefined) resolve(answer.result);
        else reject(new Error(answer.error.message));
      };
      session.on("NodeWorker.receivedMessageFromWorker", listener);
      session.post("NodeWorker.sendMessageToWorker", { sessionId, message }, (error) => {
        if (error !== null) reject(error);
      });
    });
}

async function start(): Promise<void> {
  session.connect();
  threads.set("main.cpuprofile", main);
  session.on("NodeWorker.attachedToWorker", ({ params: { sessionId, workerInfo } }) => {
    threads.set(`worker-${workerInfo.workerId}.cpuprofile`, worker(sessionId));
  });
  await new Promise<void>((resolve, reject) => {
    session.post("NodeWorker.enable", { waitForDebuggerOnStart: false }, (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  await Promise.all(
    [...threads.values()].map(async (command) => {
      await command("Profiler.enable");
      await command("Profiler.start");
    }),
  );
}

async function stop(folder: string): Promise<void> {
  await Promise.all(
    [...threads].map(async ([file, command]) => {
      const { profile } = (await command("Profiler.stop")) as { profile: object };
      writeFileSync(join(folder, file), JSON.stringify(profile));
    }),
  );
}

async function answer(request: ProfilerRequest): Promise<ProfilerAnswer> {
  try {
    await (request.type === "start" ? start() : stop(request.folder));
    return { type: "done" };
  } catch (error) {
    return { type: "failed", message: error instanceof Error ? error.message : String(error) };
  }
}

if (isMainThread) {
  process.on("message", async (request: ProfilerRequest) => {
    process.send?.(await answer(request));
  });
}
