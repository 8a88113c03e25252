import { existsSync, readFileSync } from "node:fs";
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
  const tsconfig = nearest(file, "tsconfig.json");
  if (!isCommonJs(file)) {
    return await tsImport(pathToFileURL(file).href, { parentURL: import.meta.url, tsconfig: tsconfig ?? false });
  }
  return { default: withVariable("TSX_TSCONFIG_PATH", tsconfig, () => requireTypeScript(file, import.meta.url)) };
}

/** Its only way to be told, where it is `require`. */
function withVariable<T>(name: string, value: string | null, run: () => T): T {
  const before = process.env[name];
  if (value === null || before !== undefined) return run();
  process.env[name] = value;
  try {
    return run();
  } finally {
    delete process.env[name];
  }
}

/** As Node decides for JavaScript, and tsc for TypeScript: by the extension, else by the nearest package.json. */
function isCommonJs(file: string): boolean {
  const extension = extname(file);
  if (extension === ".mts" || extension === ".cts") return extension === ".cts";
  const description = nearest(file, "package.json");
  if (description === null) return true;
  const { type } = JSON.parse(readFileSync(description, "utf8")) as { type?: unknown };
  return type !== "module";
}

/** The file of that name in the folder of `file`, or in one above it; null: there is none. */
function nearest(file: string, name: string): string | null {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const path = join(folder, name);
    if (existsSync(path)) return path;
    if (folder === dirname(folder)) return null;
  }
}
