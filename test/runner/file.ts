import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { childrenOf } from "../support/cli.js";

/** How a test file ended. */
export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Why tests were skipped, as their lines "skipped: …" say: one for each. */
  readonly skippedFor: readonly string[];
  readonly output: string;
}

export interface FileOptions {
  /** A file that runs for longer is ended with all processes that it started, and has failed. */
  readonly limitMs: number;
  /** Only tests with this text in their name or their suite's; null for all. */
  readonly name: string | null;
  /** Folder for V8's coverage of the file's processes; null for none. */
  readonly coverage: string | null;
}

const nameFilter = fileURLToPath(new URL("name-filter.js", import.meta.url));
const running = new Set<ChildProcess>();

/**
 * Runs one compiled test file in a process group of its own. A file that fails to load, hangs, or runs no test is a failure: uvu alone would
 * call a file that forgot `.run()` a success.
 */
export async function runFile(file: string, { limitMs, name, coverage }: FileOptions): Promise<Outcome> {
  // A file may leave its suite to a shared one and name none itself; that it then runs nothing shows in its count below.
  const source = readFileSync(file, "utf8");
  const occurrences = (pattern: RegExp): number => source.match(pattern)?.length ?? 0;
  if (occurrences(/\.run\(\)/g) < occurrences(/\bsuite\(/g)) {
    return { passed: 0, failed: 1, skipped: 0, skippedFor: [], output: `${file}: a suite is never run` };
  }

  const child = spawn(
    process.execPath,
    ["--enable-source-maps", ...(name === null ? [] : ["--import", nameFilter]), file],
    {
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
      env: {
        ...process.env,
        ...(name === null ? {} : { LOOPOOL_TEST_NAME: name }),
        ...(coverage === null ? {} : { NODE_V8_COVERAGE: coverage }),
      },
    },
  );
  running.add(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
    });
  }
  let isTooLate = false;
  const timer = setTimeout(() => {
    isTooLate = true;
    output += `\n${file}: still running after ${limitMs / 1000} s, ended\n`;
    endWithChildren(child);
    // A process that escaped may still hold them.
    child.stdout.destroy();
    child.stderr.destroy();
  }, limitMs);
  const code = await new Promise<number | null>((resolve) => {
    child.on("close", resolve);
  });
  clearTimeout(timer);
  running.delete(child);

  // uvu closes each file with "Total: 3", "Passed: 2", "Skipped: 0"; the total is without what was skipped.
  const count = (label: string): number => Number(new RegExp(`${label}:\\s+(\\d+)`).exec(output)?.[1] ?? 0);
  const passed = count("Passed");
  const skipped = count("Skipped");
  const ranNothing = passed + skipped === 0 && name === null;
  const failed = Math.max(count("Total") - passed, code !== 0 || ranNothing || isTooLate ? 1 : 0);
  // With a name chosen, suites that skip nothing still say why they would.
  const skippedFor = skipped === 0 ? [] : [...output.matchAll(/^skipped: (.*)$/gm)].map(([, reason]) => reason!);
  return { passed, failed, skipped, skippedFor, output };
}

/** Ends all files that are running: the runner itself is being ended. */
export function endRunningFiles(): void {
  for (const child of running) endWithChildren(child);
}

const descendantsOf = (pid: number): readonly number[] =>
  process.platform === "linux" ? childrenOf(pid).flatMap((child) => [child.pid, ...descendantsOf(child.pid)]) : [];

/** Its group, and those of its descendants that lead a group of their own, as the servers of a sweep do. */
function endWithChildren(child: ChildProcess): void {
  if (child.pid === undefined) return;
  const pids = [child.pid, ...descendantsOf(child.pid)];
  for (const target of [-child.pid, ...pids]) {
    try {
      process.kill(target, "SIGKILL");
    } catch {
      // It has ended.
    }
  }
}
