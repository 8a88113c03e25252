import { join } from "node:path";
import { packageRoot } from "../../src/shared/package-root.js";

/** The path of an application of test/app/apps, as its author wrote it: those are not built. */
export function appFile(name: string): string {
  return join(packageRoot, "test", "app", "apps", name);
}
