import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Runs every test file in a process of its own, under a time limit, three at a time, since most of them wait, and closes with one line, "N passed, N failed".
 * A file that fails to load, hangs, or runs no test is a failure: uvu alone would call a file that forgot `.run()` a success.
 * Arguments choose the files whose path contains one of them.
 */
const FILE_TIMEOUT_MS = 240_000;
const AT_A_TIME = 3;
/** Their subject is time itself, or they need both processors: they run by themselves, when the others are done. */
const ALONE = ["cli/sweep.", "cli/load.", "harness/load/open-loop.", "harness/load/threads.", "harness/sweep/trial."];

const here = dirname(fileURLToPath(import.meta.url));
const wanted = process.argv.slice(2);
const files = readdirSync(here, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".test.js"))
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .sort();
const isAlone = (file: string): boolean => ALONE.some((name) => file.startsWith(name));

let passed = 0;
let failed = 0;

/** Runs files one after the other, until the queue is empty. */
async function runAll(queue: string[]): Promise<void> {
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    const startMs = performance.now();
    const outcome = await runFile(join(here, file));
    const seconds = Math.round((performance.now() - startMs) / 1000);
    passed += outcome.passed;
    failed += outcome.failed;
    console.log(`${outcome.failed === 0 ? "ok  " : "FAIL"} ${file} (${outcome.passed} passed, ${seconds} s)`);
    if (outcome.failed > 0) console.log(outcome.output);
  }
}

const together = files.filter((file) => !isAlone(file));
await Promise.all(Array.from({ length: AT_A_TIME }, () => runAll(together)));
await runAll(files.filter(isAlone));
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;

interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly output: string;
}

async function runFile(file: string): Promise<Outcome> {
  // A file may leave its suite to a shared one and name none itself; that it then runs nothing shows in its count below.
  const source = readFileSync(file, "utf8");
  const occurrences = (pattern: RegExp): number => source.match(pattern)?.length ?? 0;
  if (occurrences(/\.run\(\)/g) < occurrences(/\bsuite\(/g)) {
    return { passed: 0, failed: 1, output: `${file}: a suite is never run` };
  }

  const child = spawn(process.execPath, ["--enable-source-maps", file], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  child.stderr.on("data", (chunk) => {
    output += chunk;
  });
  const timer = setTimeout(() => {
    output += `\n${file}: still running after ${FILE_TIMEOUT_MS / 1000} s, ended\n`;
    child.kill("SIGKILL");
  }, FILE_TIMEOUT_MS);
  const code = await new Promise<number | null>((resolve) => {
    child.on("close", resolve);
  });
  clearTimeout(timer);

  // uvu closes each file with "Total: 3", "Passed: 2", "Skipped: 0".
  const count = (label: string): number => Number(new RegExp(`${label}:\\s+(\\d+)`).exec(output)?.[1] ?? 0);
  const filePassed = count("Passed");
  const fileFailed = Math.max(count("Total") - filePassed - count("Skipped"), code === 0 && filePassed > 0 ? 0 : 1);
  return { passed: filePassed, failed: fileFailed, output };
}
