import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const entry = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

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
  const child = spawn(process.execPath, [entry, ...args], { stdio: ["ignore", "pipe", "pipe"] });
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

/** Processes that are alive and whose command line contains all of these texts (Linux). */
export async function processesWith(...texts: string[]): Promise<readonly number[]> {
  const { readdir, readFile } = await import("node:fs/promises");
  const found: number[] = [];
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const command = await readFile(`/proc/${entry}/cmdline`, "utf8").catch(() => "");
    if (texts.every((text) => command.includes(text))) found.push(Number(entry));
  }
  return found;
}
