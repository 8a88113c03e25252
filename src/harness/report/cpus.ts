import { isOurs } from "../sweep/plan.js";
import type { SweepResult } from "../sweep/result.js";
import { allowedCpus } from "../validity/saturation.js";
import { counted } from "./format.js";

/** How many CPUs the server had, in words: "1 CPU", or "2 CPUs, shared with the load generator"; null where no server was ours to place. */
export function serverCpusText({ plan, environment }: Pick<SweepResult, "plan" | "environment">): string | null {
  if (plan.cores.every((core) => !isOurs(plan, core))) return null;
  const { server, overlap } = allowedCpus(plan.pinning, environment);
  return `${counted(server, "CPU")}${overlap ? ", shared with the load generator" : ""}`;
}

/** A first sentence for whatever is said of these figures: nothing decides as much between an event loop and a pool. */
export function serverCpusSentence(sweep: Pick<SweepResult, "plan" | "environment">): string | null {
  const cpus = serverCpusText(sweep);
  return cpus === null ? null : `The server had ${cpus}.`;
}

/** What one CPU means for a core that has worker threads; empty where it is not so. */
export function oneCpuNote({ plan, environment }: Pick<SweepResult, "plan" | "environment">): readonly string[] {
  const { server } = allowedCpus(plan.pinning, environment);
  if (server > 1 || !plan.cores.includes("pool")) return [];
  return [
    "On one CPU the pool's workers take turns with its main thread, so it cannot serve more than that CPU does: this answers for a host or " +
      "container with one CPU, and another number of CPUs needs its own sweep (--pin).",
  ];
}
