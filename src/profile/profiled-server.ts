import { spawn } from "node:child_process";
import { type LoadOptions, targetOf } from "../load/options.js";
import { run } from "../load/run.js";

/** Load to profile a server under. */
export interface ProfileLoad {
  /** Path and query. */
  readonly path: string;
  readonly concurrency: number;
  readonly seconds: number;
}

const LISTENING = /^loopool \S+ listening on (http:\S+) pid (\d+)/m;
const REQUEST_TIMEOUT_MS = 30_000;
/** More than any server answers in the time: the time ends the run. */
const ENDLESS = Number.MAX_SAFE_INTEGER;

/**
 * Runs a command that starts a server, loads the server for a while, ends it with SIGINT and waits for the command, which may
 * have a report to write. Resolves with the number of requests answered. Throws an Error with what the command wrote when it fails.
 */
export async function profileServer(
  command: readonly string[],
  environment: Readonly<Record<string, string>>,
  { path, concurrency, seconds }: ProfileLoad,
): Promise<number> {
  const [program = "", ...args] = command;
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...environment } });
  let output = "";
  let wake = (): void => {};
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
      wake();
    });
  }
  const ended = new Promise<number | null>((resolve) => {
    child.once("error", () => resolve(null));
    child.once("close", resolve);
  });
  const failed = ended.then((code) => {
    throw new Error(`it ended with code ${code} before the server listened: ${output.trim()}`);
  });
  failed.catch(() => {});
  const [url, pid] = await Promise.race([
    failed,
    new Promise<readonly [string, number]>((resolve) => {
      wake = () => {
        const match = LISTENING.exec(output);
        if (match !== null) resolve([match[1]!, Number(match[2])]);
      };
    }),
  ]);
  let completed: number;
  try {
    ({ completed } = await run(loadOptions(`${url}${path}`, concurrency), AbortSignal.timeout(seconds * 1000)));
  } finally {
    // To the server itself: a profiler around it passes signals on too late or not at all.
    process.kill(pid, "SIGINT");
  }
  const code = await ended;
  if (code !== 0) throw new Error(`it ended with code ${code}: ${output.trim()}`);
  return completed;
}

function loadOptions(url: string, concurrency: number): LoadOptions {
  return {
    target: targetOf(url),
    requests: ENDLESS,
    concurrency,
    keepAlive: true,
    timeoutMs: REQUEST_TIMEOUT_MS,
    headers: [],
    byFirstByte: false,
  };
}
