import * as nodeModule from "node:module";
import { isMainThread } from "node:worker_threads";
import { resolve } from "./name-filter-hooks.js";

/** Node 22.15 and later; @types/node of Node 20 does not know it. */
const { registerHooks } = nodeModule as { readonly registerHooks?: (hooks: { resolve: unknown }) => void };

// Loaded before a test file by `--import`: the file gets named-suites.js in the place of uvu, which cannot choose tests by name. Threads inherit
// the flag, and hold no tests.
if (isMainThread) {
  if (registerHooks !== undefined) registerHooks({ resolve });
  else nodeModule.register("./name-filter-hooks.js", import.meta.url);
}
