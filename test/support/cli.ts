import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

/** The compiled command line. */
export const entry = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

/** A command that runs in a process of its own, as a user would start it. */
export interface Running {
  readonly process: ChildProcess;
  /** Resolves with the match once the command has written something that matches; rejects if it ends before. */
  written(pattern: RegExp): Promise<RegExpExecArray>;
  readonly ended: Promise<Ended>;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  readonly errors: string;
}

/** Starts `loopool <args>`; the caller awaits its end or kills it. */
export function loopool(...args: string[]): Running {
  return running(spawn(process.execPath, [entry, ...args], { stdio: ["ignore", "pipe", "pipe"] }));
}

/** As above, in a process that may have this many files open. */
export function loopoolWithFiles(openFiles: number, ...args: string[]): Running {
  const script = `ulimit -n ${openFiles} && exec "$0" "$@"`;
  return running(spawn("sh", ["-c", script, process.execPath, entry, ...args], { stdio: ["ignore", "pipe", "pipe"] }));
}

/** Any program, with more environment or in another folder. */
export function program(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv },
): Running {
  return running(spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] }));
}

function running(child: ChildProcessByStdio<null, Readable, Readable>): Running {
  let output = "";
  let errors = "";
  let wake = (): void => {};
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    output += chunk;
    wake();
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    errors += chunk;
    wake();
  });
  let closed = false;
  const ended = new Promise<Ended>((resolve) => {
    child.on("close", (code, signal) => {
      closed = true;
      resolve({ code, signal, output, errors });
      wake();
    });
  });
  return {
    process: child,
    ended,
    async written(pattern) {
      for (;;) {
        const match = pattern.exec(output + errors);
        if (match !== null) return match;
        if (closed) throw new Error(`it ended without writing ${pattern}: ${output}${errors}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

/** Processes that this one has started and that are alive: `pid` and command line (Linux). */
export function childrenOf(parent: number): readonly { readonly pid: number; readonly command: string }[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => {
      try {
        // "pid (name) state ppid …": the name may hold spaces and parentheses.
        const [state, ppid] = readFileSync(`/proc/${entry}/stat`, "utf8").split(")").at(-1)!.trim().split(" ");
        if (Number(ppid) !== parent || state === "Z") return [];
        const command = readFileSync(`/proc/${entry}/cmdline`, "utf8").replaceAll("\0", " ").trim();
        return [{ pid: Number(entry), command }];
      } catch {
        // It ended while we looked.
        return [];
      }
    });
}

/** Whether a process is there, ours or not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
