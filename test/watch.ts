import { spawnSync } from "node:child_process";
import { existsSync, watch } from "node:fs";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { packageRoot } from "../src/shared/package-root.js";

/**
 * Builds and runs tests when files under src and test change: a changed test file itself, for another file the test of its name, or those of
 * the folder that mirrors its own. Changes are collected until no more come. Ends with Ctrl-C.
 */
const SETTLE_MS = 100;
const here = dirname(fileURLToPath(import.meta.url));

const changed = new Set<string>();
let timer: NodeJS.Timeout | undefined;

for (const folder of ["src", "test"]) {
  watch(join(packageRoot, folder), { recursive: true }, (_, name) => {
    if (name === null || !name.endsWith(".ts")) return;
    changed.add(join(folder, name));
    clearTimeout(timer);
    timer = setTimeout(runChanged, SETTLE_MS);
  });
}
console.log("waiting for changes in src and test (Ctrl-C ends)");

/** What happens meanwhile is seen afterwards: the commands hold this thread. */
function runChanged(): void {
  const parts = [...new Set([...changed].flatMap(testsOf))];
  console.log(`\nchanged: ${[...changed].join(", ")}`);
  changed.clear();
  const build = spawnSync("npm", ["run", "--silent", "build"], { cwd: packageRoot, stdio: "inherit" });
  if (build.status !== 0) return;
  if (parts.length === 0) console.log("no test mirrors it: npm test runs all");
  else spawnSync(process.execPath, [join(here, "run.js"), ...parts], { stdio: "inherit" });
}

/** What the runner is given to choose the tests of a source file, given like "src/pool/scaling.ts". */
function testsOf(file: string): string[] {
  const [, ...path] = file.replace(/\.ts$/, "").split(sep);
  const name = path.join("/");
  if (name.endsWith(".test")) return [`${name}.js`];
  if (existsSync(join(packageRoot, "test", `${name}.test.ts`))) return [`${name}.test.js`];
  return path.length > 1 ? [`${path.slice(0, -1).join("/")}/`] : [];
}
