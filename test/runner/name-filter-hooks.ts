import type { ResolveHook } from "node:module";

/** A resolve hook of Node, for `registerHooks` and, in a thread of its own, for `register`: "uvu" is named-suites.js, except for that module itself. */
export const resolve: ResolveHook = (specifier, context, nextResolve) => {
  const filtered = new URL("named-suites.js", import.meta.url).href;
  if (specifier !== "uvu" || context.parentURL === filtered) return nextResolve(specifier, context);
  return { url: filtered, format: "module", shortCircuit: true };
};
