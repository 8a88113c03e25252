import { createRequire } from "node:module";
import { join } from "node:path";

/**
 * The file of a module of an optional package: that of the project in whose folder the user stands, else the one installed beside loopool; null
 * where there is neither.
 */
export function installedFile(module: string, folder = process.cwd()): string | null {
  // Any name does: it is looked for in the folders of packages from there upwards.
  for (const from of [join(folder, "package.json"), import.meta.url]) {
    try {
      return createRequire(from).resolve(module);
    } catch {
      // Not there.
    }
  }
  return null;
}
