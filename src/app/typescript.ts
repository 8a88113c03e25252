import { readFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { require as requireTypeScript } from "tsx/cjs/api";
import { tsImport } from "tsx/esm/api";

/**
 * A module in TypeScript or JSX, with what it imports, `paths` of its tsconfig.json included. Called in the thread that needs it: hooks that a
 * worker inherits from the main thread do not work there (privatenumber/tsx#354, nodejs/node#47747).
 *
 * What package.json makes CommonJS goes the way of `require`: by the other one `__dirname` is wrong on Node 20.
 */
export async function importTypeScript(file: string): Promise<unknown> {
  if (!isCommonJs(file)) return await tsImport(pathToFileURL(file).href, import.meta.url);
  const exported: unknown = requireTypeScript(file, import.meta.url);
  return { default: exported };
}

/** As Node decides for JavaScript, and tsc for TypeScript: by the extension, else by the nearest package.json. */
function isCommonJs(file: string): boolean {
  const extension = extname(file);
  if (extension === ".mts" || extension === ".cts") return extension === ".cts";
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const type = typeIn(join(folder, "package.json"));
    if (type !== null) return type !== "module";
    if (folder === dirname(folder)) return true;
  }
}

/** null: there is no such file, or it cannot be read. */
function typeIn(file: string): unknown {
  try {
    const { type = "commonjs" } = JSON.parse(readFileSync(file, "utf8")) as { type?: unknown };
    return type;
  } catch {
    return null;
  }
}
