import { type ChildProcess, spawn } from "node:child_process";
import { LoopoolError } from "../../shared/errors.js";
import { CpuTime, type CpuUse } from "./cpu-time.js";

/** Tools that run: none may outlive this process. */
const running = new Set<ChildProcess>();

process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** How a tool is started. */
export interface ToolCommand {
  readonly command: readonly string[];
  /** How to install it, for a user who has not. */
  readonly install: string;
  /** Variables beside those of this process. */
  readonly environment?: Readonly<Record<string, string>>;
  /** In taskset's list form; null: those of this process. */
  readonly cpus: string | null;
}

/** A tool that has ended. */
export interface EndedTool {
  /** As it was run, taskset included. */
  readonly command: readonly string[];
  readonly output: string;
  readonly errors: string;
  readonly code: number | null;
  /** CPU time spent in the last `seconds` before its end; null where that cannot be read. */
  cpuOfLast(seconds: number): CpuUse | null;
}

/**
 * Runs a tool to its end, whatever its exit code. Throws a LoopoolError where it is not installed or `signal` ended it.
 * A process group of its own: a Ctrl-C in the terminal reaches us alone.
 */
export async function runTool(
  { command, install, environment, cpus }: ToolCommand,
  signal?: AbortSignal,
): Promise<EndedTool> {
  const whole = cpus === null ? command : ["taskset", "--cpu-list", cpus, ...command];
  const [program = "", ...args] = whole;
  const interrupted = (): LoopoolError =>
    new LoopoolError("INTERRUPTED", `${command[0]} was stopped: it left no result`);
  if (signal?.aborted) throw interrupted();
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    env: { ...process.env, ...environment },
  });
  running.add(child);
  const kill = (): void => {
    child.kill("SIGKILL");
  };
  signal?.addEventListener("abort", kill, { once: true });
  let output = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    output += chunk;
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    errors += chunk;
  });
  const cpu = child.pid === undefined ? null : CpuTime.ofChild(child.pid);
  try {
    const exited = new Promise<void>((resolve) => child.once("exit", () => resolve())).then(() => cpu?.ended());
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    await exited;
    if (signal?.aborted) throw interrupted();
    return { command: whole, output, errors, code, cpuOfLast: (seconds) => cpu?.ofLast(seconds) ?? null };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new LoopoolError(
      "NO_TOOL",
      `${program} is not installed: ${program === "taskset" ? "leave the CPUs to the system" : install}`,
    );
  } finally {
    cpu?.stop();
    running.delete(child);
    signal?.removeEventListener("abort", kill);
  }
}

/** What a tool that left no report said last, in one line. */
export function failureOf(name: string, url: string, { code, errors, output }: EndedTool): LoopoolError {
  const said = (errors.trim() || output.trim()).split("\n").at(-1)?.trim().slice(0, 300) ?? "";
  if (/refused/i.test(said)) {
    return new LoopoolError("REFUSED", `${url}: ${name} says "${said}": does a server listen on that port?`);
  }
  return new LoopoolError(
    "TOOL_FAILED",
    `${name} ended with code ${code} and no report${said === "" ? "" : `: ${said}`}`,
  );
}
