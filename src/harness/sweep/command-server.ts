import { connect, createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { startProgram } from "./child.js";
import { type Listening, listeningOf } from "./listening-ports.js";

/** A server that a command of the user's has started, seen from outside. */
export interface CommandServer {
  readonly url: string;
  /** Asks all its processes to end, and kills those that do not. */
  stop(): Promise<void>;
  /** The last that it wrote to standard error so far, in one line. */
  lastWords(): string;
  /** Resolves when its first process has ended, with how, in words. */
  readonly ended: Promise<string>;
}

/** Nothing tells when another process begins to listen. */
const LOOK_MS = 25;
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 5000;

/**
 * Starts a command in a shell, on the given CPUs (taskset's list; null: any), and waits until a process of it listens: on the port that the
 * variable PORT names, or on whichever it has of its own. NODE_ENV is "production" unless it is set. Throws an Error with what it wrote when it
 * ends before, or does not listen.
 */
export async function startCommandServer(
  command: string,
  cpus: string | null,
  signal: AbortSignal,
): Promise<CommandServer> {
  const port = await freePort();
  const env = { NODE_ENV: "production", ...process.env, PORT: String(port) };
  const child = startProgram(["sh", "-c", command], cpus, signal, { killSignal: "SIGKILL", env, ownGroup: true });
  const group = child.process.pid;
  const stop = async (): Promise<void> => {
    killGroup(group, "SIGTERM");
    const timer = setTimeout(() => killGroup(group, "SIGKILL"), STOP_TIMEOUT_MS);
    await child.ended;
    clearTimeout(timer);
    // What the shell has started may outlive it.
    killGroup(group, "SIGKILL");
  };
  let how: string | null = null;
  child.ended.then((text) => {
    how = text;
  });
  const startedMs = performance.now();
  try {
    for (;;) {
      signal.throwIfAborted();
      if (how !== null) throw new Error(`before it listened the command ${how}`);
      const found = await listening(group, port);
      if (found !== null) {
        const url = `http://${found.isV6 ? "[::1]" : "127.0.0.1"}:${found.port}`;
        return { url, stop, lastWords: child.lastWords, ended: child.ended };
      }
      if (performance.now() - startedMs > START_TIMEOUT_MS) {
        const words = child.lastWords();
        throw new Error(
          `the command does not listen on a TCP port after ${START_TIMEOUT_MS / 1000} s${words === "" ? "" : ` (it said: ${words})`}`,
        );
      }
      await delay(LOOK_MS);
    }
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Where it listens, the port that it was told first. Without /proc only that port is tried. */
async function listening(group: number | undefined, port: number): Promise<Listening | null> {
  const found = group === undefined ? null : listeningOf(group);
  if (found === null) return (await accepts(port)) ? { port, isV6: false } : null;
  return found.find((one) => one.port === port) ?? found[0] ?? null;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port }, () => resolve(true));
    socket.once("error", () => resolve(false)).once("close", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

function killGroup(group: number | undefined, signal: NodeJS.Signals): void {
  if (group === undefined) return;
  try {
    process.kill(-group, signal);
  } catch {
    // There is none of it left.
  }
}
