import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../src/shared/package-root.js";
import { importProblems, readRules, withImportRules } from "./import-rules.js";

/**
 * Checks the imports of src against scripts/allowed-imports.json; exits 1 with a line for each problem. With `--write` it first makes the
 * linter's rules in biome.json from that file. Part of `npm run check`.
 */
if (process.argv.includes("--write")) {
  const file = join(packageRoot, "biome.json");
  const config = withImportRules(JSON.parse(readFileSync(file, "utf8")), readRules(packageRoot));
  writeFileSync(file, `${JSON.stringify(config, null, 2)}\n`);
  execFileSync(join(packageRoot, "node_modules", ".bin", "biome"), ["format", "--write", file], { stdio: "ignore" });
}

const problems = importProblems(packageRoot);
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
