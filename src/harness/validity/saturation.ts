import { cpuList } from "../../shared/process-limits.js";
import { workSeconds } from "../drivers/rate.js";
import type { GeneratorResult } from "../drivers/result.js";
import { median } from "../statistics/median.js";
import type { Environment, Pinning, ServerAccounting } from "../sweep/result.js";
import { type Reason, thresholds, type Warning } from "./diagnostics.js";

/** A trial that ran: its accounts are there. A server that is not ours keeps none. */
export interface RanTrial {
  readonly run: GeneratorResult;
  readonly server: ServerAccounting | null;
  /** What the server wrote to standard error. */
  readonly serverErrors?: string;
}

/** How many CPUs each side may use, and how many both together; `overlap`: some are used by both. */
interface Allowed {
  readonly server: number;
  readonly union: number;
  readonly overlap: boolean;
}

/** What a pinning on a machine with so many CPUs leaves to server and generator. */
export function allowedCpus(pinning: Pinning, environment: Pick<Environment, "cores">): Allowed {
  const all = new Set(Array.from({ length: environment.cores }, (_, cpu) => cpu));
  const server = pinning.server === null ? all : cpuList(pinning.server);
  const generator = pinning.generator === null ? all : cpuList(pinning.generator);
  const union = new Set([...server, ...generator]);
  return { server: server.size, union: union.size, overlap: union.size < server.size + generator.size };
}

/** CPUs the server kept busy over the measured window, on average: CPU time per request × requests per second. NaN where it keeps no account. */
export function serverCpus({ run, server }: RanTrial): number {
  if (server === null) return Number.NaN;
  return (server.cpuUserMicros + server.cpuSystemMicros) / 1e6 / workSeconds(run);
}

/**
 * The share of the window in which the server's main event loop was busy. The server's two readings lie further apart than the window
 * (the generator starts and ends between them), and the time around it is idle: so busy time is set against the window. NaN where it
 * keeps no account.
 */
export function loopShare({ run, server }: RanTrial): number {
  if (server === null) return Number.NaN;
  return Math.min(1, (server.eventLoopUtilization * server.elapsedMicros) / 1e6 / workSeconds(run));
}

/** How close the server was to a limit of its own: its CPUs or its main event loop, whichever is fuller. */
function serverShare(trial: RanTrial, pinning: Pinning, environment: Pick<Environment, "cores">): number {
  return Math.max(serverCpus(trial) / allowedCpus(pinning, environment).server, loopShare(trial));
}

/**
 * How full the generator was: by its CPU or by its event loop, whichever is fuller. The loop sees what the CPU time of the process does not:
 * work the kernel does for it outside its account (connections over loopback), and time it waited for a CPU that something else had.
 * What a tool does not tell of itself counts as nothing.
 */
export function generatorShare({ run: { generator } }: Pick<RanTrial, "run">): number {
  return Math.max(generator.cpuShare ?? 0, generator.eventLoopUtilization ?? 0);
}

/**
 * Which side was the limit, by the medians of the trials. A full generator before a server that is not full measured itself, unless both
 * share CPUs that are full: then the CPUs were the limit, and the server had its part in it. When generator and server are both full the
 * server's figure stands, with a warning: a server that is always behind takes more per turn of its loop, so against a faster generator it
 * might serve more. How full a server was that is not ours is not known, so before it a full generator is the limit.
 */
export function saturation(
  trials: readonly RanTrial[],
  pinning: Pinning,
  environment: Pick<Environment, "cores">,
): { readonly reasons: readonly Reason[]; readonly warnings: readonly Warning[] } {
  if (trials.length === 0) return { reasons: [], warnings: [] };
  const generator = median(trials.map(generatorShare));
  if (trials.some(({ server }) => server === null)) {
    const shares = { generatorShare: generator, serverShare: null };
    if (generator >= thresholds.full) return { reasons: [{ code: "generator-limited", ...shares }], warnings: [] };
    const near = generator >= thresholds.generatorHeadroom;
    return { reasons: [], warnings: near ? [{ code: "generator-near-limit", ...shares }] : [] };
  }
  const allowed = allowedCpus(pinning, environment);
  const shares = {
    generatorShare: generator,
    serverShare: median(trials.map((trial) => serverShare(trial, pinning, environment))),
  };
  const busyCpus = median(trials.map((trial) => (trial.run.generator.cpuShare ?? 0) + serverCpus(trial)));
  const cpusFull = allowed.overlap && busyCpus >= thresholds.full * allowed.union;
  const generatorFull = shares.generatorShare >= thresholds.full;
  if (generatorFull && shares.serverShare < thresholds.full && !cpusFull) {
    return { reasons: [{ code: "generator-limited", ...shares }], warnings: [] };
  }
  const warnings: Warning[] = [];
  if (cpusFull) warnings.push({ code: "shared-cpus", cpus: allowed.union, busyCpus });
  else if (shares.generatorShare >= thresholds.generatorHeadroom)
    warnings.push({ code: "generator-near-limit", ...shares });
  return { reasons: [], warnings };
}
