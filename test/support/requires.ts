import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { Callback, Test } from "uvu";

/** What some tests need and a machine may lack. */
export interface Tool {
  readonly name: string;
  /** How to get it on Debian. */
  readonly remedy: string;
  readonly isInstalled: boolean;
  /** Whether CI installs it, so that its tests must run there. */
  readonly inCi: boolean;
}

/** A program on the PATH. */
export function programTool(name: string, remedy: string, inCi = true): Tool {
  return { name, remedy, isInstalled: pathOf(name) !== undefined, inCi };
}

/** The first executable file of that name on the PATH. */
export function pathOf(name: string): string | undefined {
  return (process.env["PATH"] ?? "").split(delimiter).flatMap((folder) => {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return [path];
    } catch {
      return [];
    }
  })[0];
}

/**
 * Registers tests where the tool is installed. Elsewhere they are skipped, and the runner says why.
 * With CI=true, where every tool is installed, a missing one is an error: a skipped test must not pass for one that ran.
 */
export function requiring(test: Test, tool: Tool): (name: string, body: Callback) => void {
  if (tool.isInstalled) return test;
  const reason = `${tool.name} is not installed: ${tool.remedy}`;
  if (tool.inCi && process.env["CI"] === "true") throw new Error(`with CI=true no test may be skipped: ${reason}`);
  return skipping(test, reason);
}

/** Skips tests, each with its reason in a line that the runner repeats at its end. */
export function skipping(test: Test, reason: string): (name: string, body: Callback) => void {
  return (name) => {
    console.log(`skipped: ${reason}`);
    test.skip(name);
  };
}
