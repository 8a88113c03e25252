import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Every child that is alive: none may outlive this process. */
const alive = new Set<ChildProcess>();

process.on("exit", () => {
  for (const child of alive) child.kill("SIGKILL");
});

// Beside this file in sources and build alike.
const entry = fileURLToPath(new URL(`../cli/main${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url));

/** A command of loopool that runs in a process of its own. */
export interface Child {
  readonly process: ChildProcess;
  /** All it has written to standard error. */
  errors(): string;
  /** Resolves when it has ended, with its exit code; null after a signal. */
  readonly ended: Promise<number | null>;
}

/**
 * Starts `loopool <args>` on the given CPUs (taskset's list; null: any). It is killed when `signal` aborts and when this
 * process ends.
 */
export function startChild(args: readonly string[], cpus: string | null, signal: AbortSignal): Child {
  const command = [process.execPath, entry, ...args];
  const [program, ...rest] = cpus === null ? command : ["taskset", "--cpu-list", cpus, ...command];
  // A group of its own: a Ctrl-C in the terminal reaches us alone, and we decide in which order things end.
  const child = spawn(program!, rest, { stdio: ["pipe", "pipe", "pipe"], detached: true });
  alive.add(child);
  const kill = (): void => {
    child.kill("SIGKILL");
  };
  if (signal.aborted) kill();
  signal.addEventListener("abort", kill, { once: true });

  // A child that has ended closes its end of the pipe: that is told by its exit, not by our writing to it.
  child.stdin?.on("error", () => {});
  let errors = "";
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    errors = (errors + chunk).slice(-4096);
  });
  const ended = new Promise<number | null>((resolve) => {
    child.once("error", (error) => {
      errors += error.message;
      resolve(null);
    });
    child.once("close", resolve);
  }).finally(() => {
    alive.delete(child);
    signal.removeEventListener("abort", kill);
  });
  return { process: child, errors: () => errors.trim(), ended };
}
