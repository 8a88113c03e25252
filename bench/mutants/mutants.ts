import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { table } from "../../src/harness/report/markdown.js";
import { packageRoot } from "../../src/shared/package-root.js";
import { endRunningFiles, runFile } from "../../test/runner/file.js";
import { PackageCopy } from "./copy.js";
import { keyOf, type MutantsResult, type Outcome, scoreRows } from "./outcome.js";
import { type Mutant, sampleOf } from "./sample.js";
import { testsOf } from "./tests.js";

/**
 * What the tests see: `npm run bench -- mutants [FOLDER…]` puts one-line faults into the compiled code, one at a time, in a copy, and runs the tests
 * that mirror the file until one fails. Faults are drawn by a seed, so many of each folder; two are tried at a time.
 *
 *   --sample N   of each folder: 40
 *   --seed N     1
 *   --out FILE   the result, written after each mutant. What it already holds is not run again, but for survivors without a reason: so an
 *                interrupted run goes on, and new tests are tried on what survived. `reason` and `equivalent` of a survivor are written there by hand.
 */
const FOLDERS = ["pool", "shared/memory", "shared/cache", "harness/load", "harness/statistics", "harness/report"];
const AT_A_TIME = 2;
/** So many times what a test file takes without a fault, and some seconds, are too long. */
const PATIENCE = 4;
const EXTRA_MS = 20_000;
const LIMIT_MS = 240_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: "string", default: "40" },
    seed: { type: "string", default: "1" },
    out: { type: "string", default: `bench/results/${new Date().toISOString().slice(0, 10)}-mutants.json` },
  },
});
const sample = Number(values.sample);
const seed = Number(values.seed);
const out = resolve(values.out);
const folders = (positionals.length > 0 ? positionals : FOLDERS).map((folder) =>
  join("src", folder.replace(/^src\//, "")),
);
const before: MutantsResult | null = existsSync(out) ? JSON.parse(readFileSync(out, "utf8")) : null;
const known = new Map(
  Object.values(before?.folders ?? {})
    .flat()
    .map((outcome) => [keyOf(outcome), outcome]),
);
const results: Record<string, readonly Outcome[]> = { ...before?.folders };
const copies = Array.from({ length: AT_A_TIME }, () => new PackageCopy(packageRoot));
process.on("exit", () => {
  for (const copy of copies) copy.remove();
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => {
    endRunningFiles();
    process.exit(1);
  });
}

/** What each test file takes without a fault, ms. */
const baselineMs = new Map<string, number>();

for (const folder of folders) {
  const drawn = sampleOf(copies[0]!.dist, folder, sample, seed);
  const queue = drawn.filter((mutant) => !isSettled(known.get(keyOf(mutant))));
  const tests = new Set(queue.flatMap(({ file }) => testsOf(copies[0]!.dist, folder, file)));
  await inParallel(
    [...tests].filter((test) => !baselineMs.has(test)),
    measure,
  );
  await inParallel(queue, async (mutant, copy) => {
    const outcome = await tried(folder, mutant, copy);
    known.set(keyOf(outcome), outcome);
    console.log(
      `${outcome.outcome.padEnd(8)} ${outcome.file}:${outcome.line} ${outcome.operator}: ${oneLine(outcome.was)} → ${oneLine(outcome.becomes)}${outcome.by === null ? "" : ` (${outcome.by})`}`,
    );
    results[folder] = drawn.flatMap((one) => known.get(keyOf(one)) ?? []);
    store();
  });
  results[folder] = drawn.flatMap((one) => known.get(keyOf(one)) ?? []);
  store();
}

const head = ["Folder", "Mutants", "Killed", "of these by time", "Survived", "Equivalent", "Score"];
console.log(`\n${table(head, scoreRows(resultSoFar()))}`);
for (const { file, line, operator, was, becomes, reason } of Object.values(results)
  .flat()
  .filter(({ outcome }) => outcome === "survived"))
  console.log(
    `survived: ${file}:${line} ${operator}: ${oneLine(was)} → ${oneLine(becomes)}${reason === undefined ? "" : ` (${reason})`}`,
  );
console.log(out);

function resultSoFar(): MutantsResult {
  const command = `npm run bench -- mutants ${folders.join(" ")} --sample ${sample} --seed ${seed}`;
  return { command, node: process.versions.node, seed, sample, folders: results };
}

function store(): void {
  writeFileSync(`${out}.tmp`, `${JSON.stringify(resultSoFar(), null, 1)}\n`);
  renameSync(`${out}.tmp`, out);
}

function isSettled(outcome: Outcome | undefined): boolean {
  return outcome !== undefined && (outcome.outcome !== "survived" || outcome.reason !== undefined);
}

/** Each item with a copy that is its own meanwhile. */
async function inParallel<Item>(
  items: readonly Item[],
  each: (item: Item, copy: PackageCopy) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  await Promise.all(
    copies.map(async (copy) => {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) await each(item, copy);
    }),
  );
}

/** A test that fails without a fault would kill every mutant. */
async function measure(test: string, { dist }: PackageCopy): Promise<void> {
  const startMs = performance.now();
  const { failed, output } = await runFile(join(dist, test), { limitMs: LIMIT_MS, name: null, coverage: null });
  if (failed > 0) {
    console.error(`${test} fails without a fault, and is left out: ${output}`);
    baselineMs.set(test, Number.POSITIVE_INFINITY);
  } else baselineMs.set(test, performance.now() - startMs);
}

async function tried(folder: string, mutant: Mutant, { dist }: PackageCopy): Promise<Outcome> {
  const { start, end, text, ...shown } = mutant;
  const compiled = join(dist, mutant.file.replace(/\.ts$/, ".js"));
  const source = readFileSync(compiled, "utf8");
  writeFileSync(compiled, source.slice(0, start) + text + source.slice(end));
  try {
    for (const test of testsOf(copies[0]!.dist, folder, mutant.file)) {
      const usualMs = baselineMs.get(test)!;
      if (!Number.isFinite(usualMs)) continue;
      const limitMs = Math.round(Math.min(LIMIT_MS, PATIENCE * usualMs + EXTRA_MS));
      const { failed, output } = await runFile(join(dist, test), { limitMs, name: null, coverage: null });
      if (failed === 0) continue;
      return { ...shown, outcome: output.includes("still running after") ? "timeout" : "killed", by: test };
    }
    return { ...shown, outcome: "survived", by: null };
  } finally {
    writeFileSync(compiled, source);
  }
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length > 90 ? `${line.slice(0, 90)}…` : line;
}
