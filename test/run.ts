import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArguments, usage } from "./runner/arguments.js";
import { Coverage } from "./runner/coverage.js";
import { endRunningFiles, type Outcome, runFile } from "./runner/file.js";

/**
 * Runs every test file in a process of its own, under a time limit, three at a time, since most of them wait, and closes with one line,
 * "N passed, N failed"; ", N skipped" follows where tests were skipped, and why is said above it.
 * Arguments choose the files whose path contains one of them, and with `--name` their tests.
 */
const FILE_TIMEOUT_MS = 240_000;
const AT_A_TIME = 3;
/** Their subject is time itself, or they need both processors: they run by themselves, when the others are done. */
const ALONE = ["harness/load/open-loop.", "harness/load/threads.", "harness/sweep/trial."];
/** The end lists this many files: those that took longest. */
const SLOWEST = 5;

const wanted = parseArguments(process.argv.slice(2));
if (wanted === null) {
  console.error(usage);
  process.exit(2);
}
const { name } = wanted;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => {
    endRunningFiles();
    process.kill(process.pid, signal);
  });
}

const here = dirname(fileURLToPath(import.meta.url));
const files = readdirSync(here, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".test.js"))
  .filter((file) => wanted.parts.length === 0 || wanted.parts.some((part) => file.includes(part)))
  .sort();
const isAlone = (file: string): boolean => ALONE.some((name) => file.startsWith(name));
const coverage = wanted.coverage ? new Coverage(join(here, "..", "src")) : null;

const outcomes: (Outcome & { readonly file: string; readonly seconds: number })[] = [];

/** Runs files one after the other, until the queue is empty. */
async function runAll(queue: string[], coverage: Coverage | null): Promise<void> {
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    const startMs = performance.now();
    const folder = coverage === null ? null : mkdtempSync(join(tmpdir(), "loopool-coverage-"));
    const outcome = await runFile(join(here, file), { limitMs: FILE_TIMEOUT_MS, name, coverage: folder });
    if (folder !== null) {
      coverage?.take(folder);
      rmSync(folder, { recursive: true });
    }
    const seconds = Math.round((performance.now() - startMs) / 1000);
    outcomes.push({ file, seconds, ...outcome });
    console.log(`${outcome.failed === 0 ? "ok  " : "FAIL"} ${file} (${outcome.passed} passed, ${seconds} s)`);
    if (outcome.failed > 0) console.log(outcome.output);
  }
}

const together = files.filter((file) => !isAlone(file));
await Promise.all(Array.from({ length: AT_A_TIME }, () => runAll(together, coverage)));
// Counting what is executed costs time, which is what these measure.
await runAll(files.filter(isAlone), null);
if (coverage !== null) console.log(coverage.report());

const sum = (of: (outcome: Outcome) => number): number => outcomes.reduce((total, outcome) => total + of(outcome), 0);
const slowest = outcomes.toSorted((one, other) => other.seconds - one.seconds).slice(0, SLOWEST);
if (outcomes.length > 1)
  console.log(`slowest: ${slowest.map(({ file, seconds }) => `${file} ${seconds} s`).join(", ")}`);

const reasons = new Map<string, number>();
for (const { skippedFor } of outcomes) {
  for (const reason of skippedFor) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
}
for (const [reason, count] of reasons) console.log(`skipped ${count}: ${reason}`);

const [passed, failed, skipped] = [sum((one) => one.passed), sum((one) => one.failed), sum((one) => one.skipped)];
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
