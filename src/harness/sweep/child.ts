import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

import { foldedLine } from "../../shared/terminal-text.js";

/** Every child that is alive, and how it is ended: none may outlive this process. */
const alive = new Map<ChildProcess, () => void>();

process.on("exit", () => {
  for (const kill of alive.values()) kill();
});

/** loopool's own command line; beside this file in sources and build alike. */
export const commandLine = fileURLToPath(
  new URL(`../../cli/main${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url),
);

/** Enough for a stack's first lines; a report shows it in a table. */
const MAX_ERROR_CHARS = 400;

/** A script that runs in a process of its own. */
export interface Child {
  readonly process: ChildProcess;
  /** Resolves when it has ended, with how, in words, and the last that it wrote to standard error, in one line. */
  readonly ended: Promise<string>;
  /** The last that it wrote to standard error so far, in one line. */
  lastWords(): string;
}

/**
 * Starts a script with its arguments on the given CPUs (taskset's list; null: any), on this Node. It is sent `killSignal` when `signal` aborts
 * and when this process ends: SIGTERM for one that has a process of its own to end first.
 */
export function startChild(
  script: readonly string[],
  cpus: string | null,
  signal: AbortSignal,
  killSignal: "SIGKILL" | "SIGTERM" = "SIGKILL",
): Child {
  return startProgram([process.execPath, ...script], cpus, signal, { killSignal });
}

interface ProgramOptions {
  readonly killSignal: "SIGKILL" | "SIGTERM";
  /** In place of this process's. */
  readonly env?: NodeJS.ProcessEnv;
  /** It is a shell, or may start others: all of them are sent the signal, and it is given no channel to this process. */
  readonly ownGroup?: boolean;
}

/** The same for any program with its arguments. */
export function startProgram(
  command: readonly string[],
  cpus: string | null,
  signal: AbortSignal,
  { killSignal, env, ownGroup = false }: ProgramOptions,
): Child {
  const [program, ...rest] = cpus === null ? command : ["taskset", "--cpu-list", cpus, ...command];
  // A group of its own: a Ctrl-C in the terminal reaches us alone, and we decide in which order things end.
  // The channel tells a server that we are gone, which SIGKILL gives us no time to.
  const child = spawn(program!, rest, {
    stdio: ownGroup ? ["ignore", "ignore", "pipe"] : ["pipe", "pipe", "pipe", "ipc"],
    detached: true,
    ...(env === undefined ? {} : { env }),
  });
  const kill = (): void => {
    if (!ownGroup || child.pid === undefined) {
      child.kill(killSignal);
      return;
    }
    try {
      process.kill(-child.pid, killSignal);
    } catch {
      // There is none of it left.
    }
  };
  alive.set(child, kill);
  if (signal.aborted) kill();
  signal.addEventListener("abort", kill, { once: true });

  // A child that has ended closes its end of the pipe: that is told by its exit, not by our writing to it.
  child.stdin?.on("error", () => {});
  let errors = "";
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    errors = (errors + chunk).slice(-4096);
  });
  const lastWords = (): string => foldedLine(errors).slice(0, MAX_ERROR_CHARS);
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(`could not be started: ${error.message}`));
    child.once("close", (code, by) => {
      const how = code === null ? `was ended by ${by}` : `ended with code ${code}`;
      resolve(lastWords() === "" ? how : `${how}: ${lastWords()}`);
    });
  }).finally(() => {
    alive.delete(child);
    signal.removeEventListener("abort", kill);
  });
  return { process: child, ended, lastWords };
}
