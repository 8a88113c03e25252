import { sharesCpus } from "../sweep/pinning.js";
import { isOurs } from "../sweep/plan.js";
import type { SweepPlan, SweepResult } from "../sweep/result.js";
import { thresholds } from "../validity/diagnostics.js";
import { allowedCpus } from "../validity/saturation.js";
import { counted, loadsText, percent } from "./format.js";
import type { RankedLoad } from "./metrics.js";

/** Where server and generator ran, and why, for each number of CPUs. */
export function pinningText({ pinning, serverCpus }: SweepPlan): string {
  if (serverCpus === undefined) return pinning.reason;
  return serverCpus.map(({ cpus, pinning: own }) => `${counted(cpus, "CPU")}: ${own.reason}`).join(" ");
}

/** How many CPUs the server had, in words: "1 CPU", or "2 CPUs, shared with the load generator"; null where no server was ours to place. */
export function serverCpusText({ plan, environment }: Pick<SweepResult, "plan" | "environment">): string | null {
  if (plan.serverCpus !== undefined || plan.cores.every((core) => !isOurs(plan, core))) return null;
  const { server, overlap } = allowedCpus(plan.pinning, environment);
  return `${counted(server, "CPU")}${overlap ? ", shared with the load generator" : ""}`;
}

/** A first sentence for whatever is said of these figures: nothing decides as much between an event loop and a pool. */
export function serverCpusSentence(sweep: Pick<SweepResult, "plan" | "environment">): string | null {
  const cpus = serverCpusText(sweep);
  return cpus === null ? null : `The server had ${cpus}.`;
}

/** Of a sweep over several numbers of CPUs: on which of them the load generator ran, too, and by what the cores are ranked there. */
export function sharedCpusNotes({ plan }: Pick<SweepResult, "plan">, levels: readonly RankedLoad[]): readonly string[] {
  return (plan.serverCpus ?? []).flatMap(({ cpus, pinning }) => {
    if (!sharesCpus(pinning)) return [];
    const own = levels.filter((level) => level.serverCpus === cpus);
    const byCost = own.filter(({ ranksByCost }) => ranksByCost === true);
    const why =
      byCost.length === 0
        ? ""
        : `; at ${loadsText(byCost)} it took more than ${percent(thresholds.sharedCpus)} of them, so the cores are ranked by server CPU per request there and not by requests per second`;
    return [`With ${counted(cpus, "CPU")} the load generator shared the server's${why}.`];
  });
}

/** What one CPU means for a core that has worker threads; empty where it is not so. */
export function oneCpuNote({ plan, environment }: Pick<SweepResult, "plan" | "environment">): readonly string[] {
  const { server } = allowedCpus(plan.pinning, environment);
  if (plan.serverCpus !== undefined || server > 1 || !plan.cores.includes("pool")) return [];
  return [
    "On one CPU the pool's workers take turns with its main thread, so it cannot serve more than that CPU does: this answers for a host or " +
      "container with one CPU, and another number of CPUs needs its own sweep (--pin).",
  ];
}
