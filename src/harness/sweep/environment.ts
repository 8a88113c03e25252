import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { cpuAllowance, openFilesLimit } from "../../shared/process-limits.js";
import type { Environment } from "./result.js";

/** What only the server knows. */
export interface ServerFacts {
  /** Version of its µWebSockets.js. */
  readonly uws: string;
  /** Its calibration of the burn loop, for all trials. */
  readonly iterationsPerMicro: number;
}

/** What must be the same for two trials to be compared. */
const comparable = ["cpuModel", "cores", "platform", "kernel", "node", "loopool", "commit"] as const;

/**
 * How this machine and this code differ from where a result was begun, e.g. "node 20.20.2, now 22.12.0"; empty when trials run here
 * may be added to it.
 */
export function changesSince(begun: Environment, packageFolder: string): readonly string[] {
  const now = describeEnvironment(packageFolder, begun);
  return comparable
    .filter((name) => now[name] !== begun[name])
    .map((name) => `${name} ${begun[name]}, now ${now[name]}`);
}

/** Describes this machine; `packageFolder` holds loopool's package.json and, in a checkout, its history. */
export function describeEnvironment(packageFolder: string, server: ServerFacts): Environment {
  const { version } = JSON.parse(readFileSync(`${packageFolder}/package.json`, "utf8")) as { version: string };
  return {
    cpuModel: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    cpuQuota: cpuAllowance().quota,
    memoryBytes: totalmem(),
    platform: `${process.platform} ${process.arch}`,
    kernel: release(),
    node: process.versions.node,
    v8: process.versions.v8,
    uv: process.versions.uv,
    uws: server.uws,
    loopool: version,
    commit: commitOf(packageFolder),
    openFilesLimit: openFilesLimit(),
    loadAverage: loadavg()[0] ?? 0,
    iterationsPerMicro: server.iterationsPerMicro,
  };
}

/** The commit of a checkout, with "-dirty" where its code has changes; "unknown" for a folder that is none. */
export function commitOf(folder: string): string {
  const git = (...args: string[]): string =>
    execFileSync("git", ["-C", folder, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  try {
    // A package inside another project's checkout has no history of its own.
    if (git("rev-parse", "--show-prefix") !== "") return "unknown";
    // Results and reports are what a sweep writes itself: they do not make the measured code another one.
    const changes = git("status", "--porcelain", "--", ".", ":!bench/results", ":!reports");
    return `${git("rev-parse", "--short=12", "HEAD")}${changes === "" ? "" : "-dirty"}`;
  } catch {
    return "unknown";
  }
}
