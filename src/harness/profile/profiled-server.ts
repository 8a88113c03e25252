import { type ChildProcess, spawn } from "node:child_process";
import { LoopoolError } from "../../shared/errors.js";
import { type Listening, listeningIn } from "../listening-line.js";
import { deadline } from "../load/deadline.js";
import { targetOf } from "../load/request/options.js";
import type { RunResult } from "../load/result/run-result.js";
import { run } from "../load/run/run.js";

/** Load to profile a server under. */
export interface ProfileLoad {
  /** Path and query. */
  readonly path: string;
  readonly concurrency: number;
  readonly seconds: number;
}

/** How a server is started, and what is done beside the load. */
export interface ProfiledServer {
  readonly command: readonly string[];
  /** Variables beside those of this process. */
  readonly environment: Readonly<Record<string, string>>;
  /** Called between warm-up and load, and after the load, with the process of the command. */
  readonly onWarm?: (child: ChildProcess) => Promise<void>;
  readonly onLoaded?: (child: ChildProcess) => Promise<void>;
}

/** What was profiled. */
export interface ProfiledRun {
  readonly answered: number;
  /** Length of the load ÷ the time from the start of the command to the end of the server, 0 to 1. */
  readonly share: number;
}

const REQUEST_TIMEOUT_MS = 30_000;
/** Code that is compiled and a cache that fills are not what a profile is for. */
const WARM_UP_MS = 1000;
/** More than any server answers in the time: the time ends the run. */
const ENDLESS = Number.MAX_SAFE_INTEGER;

/** Commands that run, each a process group of its own: none may outlive this process. */
const running = new Set<ChildProcess>();

process.on("exit", () => {
  for (const child of running) killGroup(child);
});

/**
 * Runs a command that starts a server, warms the server up, loads it for a while, ends it with SIGINT and waits for the command, which may
 * have a report to write. Throws a LoopoolError with what the command wrote when it fails, and where no request was answered as it should
 * be; when `signal` aborts the command is killed with all it has started.
 */
export async function profileServer(
  server: ProfiledServer,
  load: ProfileLoad,
  signal: AbortSignal,
): Promise<ProfiledRun> {
  signal.throwIfAborted();
  const startedMs = performance.now();
  const { child, output, ended } = start(server);
  const kill = (): void => killGroup(child);
  signal.addEventListener("abort", kill, { once: true });
  try {
    const { url, pid } = await listening(child, output, ended);
    let answered: number;
    let share: number;
    try {
      requireAnswers(await send(`${url}${load.path}`, load.concurrency, WARM_UP_MS, signal));
      await server.onWarm?.(child);
      const beginMs = performance.now();
      const result = await send(`${url}${load.path}`, load.concurrency, load.seconds * 1000, signal);
      const endMs = performance.now();
      requireAnswers(result);
      answered = result.completed;
      share = (endMs - beginMs) / (endMs - startedMs);
      await server.onLoaded?.(child);
    } finally {
      // To the server itself: a profiler around it passes signals on too late or not at all.
      end(pid);
    }
    const code = await ended;
    if (code !== 0) throw failed(`it ended with code ${code}: ${output()}`);
    return { answered, share };
  } finally {
    kill();
    signal.removeEventListener("abort", kill);
    signal.throwIfAborted();
  }
}

/** A server that has ended by itself has been heard of in another way. */
function end(pid: number): void {
  try {
    process.kill(pid, "SIGINT");
  } catch {}
}

function start({ command, environment }: ProfiledServer) {
  const [program = "", ...args] = command;
  const child = spawn(program, args, {
    // A standard input and a channel: by their end a server hears of ours.
    stdio: ["pipe", "pipe", "pipe", "ipc"],
    detached: true,
    env: { ...process.env, ...environment },
  });
  running.add(child);
  child.stdin?.on("error", () => {});
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
  }
  const ended = new Promise<number | null>((resolve) => {
    child.once("error", () => resolve(null));
    child.once("close", resolve);
  }).finally(() => running.delete(child));
  return { child, output: () => text.trim(), ended };
}

async function listening(child: ChildProcess, output: () => string, ended: Promise<number | null>) {
  const found = new Promise<Listening>((resolve) => {
    child.stdout?.on("data", () => {
      const line = listeningIn(output());
      if (line !== null) resolve(line);
    });
  });
  const endedBefore = ended.then((code) => {
    // A mistake of the user's, which the server tells in a line.
    const told = /^loopool: (.+)$/.exec(output())?.[1];
    if (told !== undefined) throw new LoopoolError("SERVER_ENDED", told, code === 2 ? 2 : 1);
    throw failed(`it ended with code ${code} before the server listened: ${output()}`);
  });
  return await Promise.race([found, endedBefore]);
}

function failed(message: string): LoopoolError {
  return new LoopoolError("PROFILE_FAILED", message);
}

async function send(url: string, concurrency: number, forMs: number, signal: AbortSignal): Promise<RunResult> {
  const options = {
    target: targetOf(url),
    requests: ENDLESS,
    concurrency,
    keepAlive: true,
    timeoutMs: REQUEST_TIMEOUT_MS,
    headers: [],
    byFirstByte: false,
  };
  const limited = deadline(signal, forMs);
  try {
    return await run(options, limited.signal);
  } finally {
    limited.clear();
  }
}

/** A profile of nothing but refusals is of no use. */
function requireAnswers({ path, completed, statusCounts, errors }: RunResult): void {
  if (completed > 0) return;
  const statuses = Object.entries(statusCounts).map(([status, count]) => `status ${status}: ${count}`);
  const others = Object.entries(errors)
    .filter(([name, count]) => count > 0 && name !== "unexpected-status" && name !== "interrupted")
    .map(([name, count]) => `${name}: ${count}`);
  const seen = [...statuses, ...others].join(", ");
  throw failed(
    `no request for ${path} was answered with a status from 200 to 299 (${seen === "" ? "none was answered at all" : seen}): ` +
      "name a path that is served with --path",
  );
}

/** With all that it has started; nothing where it has ended. */
function killGroup(child: ChildProcess): void {
  if (!running.has(child)) return;
  try {
    if (process.platform === "win32") child.kill("SIGKILL");
    else if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // They have ended.
  }
}
