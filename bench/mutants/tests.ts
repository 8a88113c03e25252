import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

/**
 * Compiled test files that mirror a file of `src`: those in the folder of `test` that mirrors `folder` that load the file, also in a thread or a process
 * of their own; its namesake first, then those beside it.
 */
export function testsOf(dist: string, folder: string, file: string): readonly string[] {
  const compiled = join(dist, file.replace(/\.ts$/, ".js"));
  const beside = dirname(file).replace(/^src/, "test");
  const rank = (test: string): number =>
    basename(test) === `${basename(file, ".ts")}.test.js` ? 0 : dirname(test) === beside ? 1 : 2;
  return testFilesIn(dist, folder.replace(/^src/, "test"))
    .filter((test) => loadedBy(join(dist, test)).has(compiled))
    .toSorted((one, other) => rank(one) - rank(other));
}

function testFilesIn(dist: string, folder: string): readonly string[] {
  try {
    return readdirSync(join(dist, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".test.js"))
      .sort()
      .map((name) => join(folder, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

const loaded = new Map<string, ReadonlySet<string>>();

/** A module and all that it imports, also later or by URL, on and on. */
function loadedBy(module: string): ReadonlySet<string> {
  const known = loaded.get(module);
  if (known !== undefined) return known;
  const found = new Set<string>();
  const queue = [module];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (found.has(next)) continue;
    let source: string;
    try {
      source = readFileSync(next, "utf8");
    } catch {
      // A path in a text that is no module.
      continue;
    }
    found.add(next);
    for (const [, path] of source.matchAll(/["'`](\.{1,2}\/[^"'`\s]+\.js)["'`]/g))
      queue.push(resolve(dirname(next), path!));
  }
  loaded.set(module, found);
  return found;
}
