import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { DriverOptions } from "../../../src/harness/drivers/driver.js";
import type { EndedTool } from "../../../src/harness/drivers/process.js";
import { targetOf } from "../../../src/harness/load/request/options.js";
import { packageRoot } from "../../../src/shared/package-root.js";

/** What a tool wrote when it was run against a server of node:http on 127.0.0.1 (oha: written by hand in the form of its 1.16). */
export function recorded(name: string): string {
  return readFileSync(join(packageRoot, "test/harness/drivers/fixtures", name), "utf8");
}

/** A tool that has ended with this report. */
export function ended(output: string, errors = "", code = 0): EndedTool {
  return { command: ["tool"], output, errors, code, cpuOfLast: () => null };
}

/** What was asked of a tool: 200 requests over 10 connections; what a test is about replaces the rest. */
export function asked(
  changes: Partial<DriverOptions> & { readonly port?: number; readonly path?: string } = {},
): DriverOptions {
  const { port = 18099, path = "/", ...options } = changes;
  return {
    target: targetOf(`http://127.0.0.1:${port}${path}`),
    requests: 200,
    durationMs: null,
    concurrency: 10,
    keepAlive: true,
    timeoutMs: 10_000,
    headers: [],
    ...options,
  };
}
