import type { RunResult } from "../load/run-result.js";
import type { Environment, Pinning, ServerAccount } from "../sweep/result.js";
import { cpuList } from "./cpu-list.js";
import { limits, type Reason, type Warning } from "./findings.js";
import { median } from "./median.js";

/** A trial that ran: both accounts of it are there. */
export interface RanTrial {
  readonly run: RunResult;
  readonly server: ServerAccount;
}

/** How many CPUs each side may use, and how many both together. */
interface Allowed {
  readonly server: number;
  readonly union: number;
  readonly overlap: boolean;
}

function allowedCpus(pinning: Pinning, environment: Pick<Environment, "cores">): Allowed {
  const all = new Set(Array.from({ length: environment.cores }, (_, cpu) => cpu));
  const server = pinning.server === null ? all : cpuList(pinning.server);
  const generator = pinning.generator === null ? all : cpuList(pinning.generator);
  const union = new Set([...server, ...generator]);
  return { server: server.size, union: union.size, overlap: union.size < server.size + generator.size };
}

/** CPUs the server kept busy over the measured window, on average. */
export function serverCpus({ run, server }: RanTrial): number {
  return (server.cpuUserMicros + server.cpuSystemMicros) / 1e6 / run.elapsedSeconds;
}

/**
 * The share of the window in which the server's main event loop was busy. The server's two readings lie further apart than the window
 * (the generator starts and ends between them), and the time around it is idle: so busy time is set against the window.
 */
export function loopShare({ run, server }: RanTrial): number {
  return Math.min(1, (server.eventLoopUtilization * server.elapsedMicros) / 1e6 / run.elapsedSeconds);
}

/** How close the server was to a limit of its own: its CPUs or its main event loop, whichever is fuller. */
function serverShare(trial: RanTrial, pinning: Pinning, environment: Pick<Environment, "cores">): number {
  return Math.max(serverCpus(trial) / allowedCpus(pinning, environment).server, loopShare(trial));
}

/**
 * Which side was the limit, by the medians of the trials. A full generator before a server that is not full measured itself. When both
 * are full the server's figure stands, with a warning: a server that is always behind takes more per turn of its loop, so against a faster
 * generator it might serve more, and a difference between two such cores is a lower bound of the true one.
 */
export function saturation(
  trials: readonly RanTrial[],
  pinning: Pinning,
  environment: Pick<Environment, "cores">,
): { readonly reasons: readonly Reason[]; readonly warnings: readonly Warning[] } {
  if (trials.length === 0) return { reasons: [], warnings: [] };
  const allowed = allowedCpus(pinning, environment);
  const generator = median(trials.map((trial) => trial.run.generator.cpuShare));
  const server = median(trials.map((trial) => serverShare(trial, pinning, environment)));
  const busyCpus = generator + median(trials.map(serverCpus));
  const shares = { generatorShare: generator, serverShare: server };
  const reasons: Reason[] = [];
  const warnings: Warning[] = [];
  if (generator >= limits.full && server < limits.full) reasons.push({ code: "generator-limited", ...shares });
  else if (generator >= limits.generatorHeadroom) warnings.push({ code: "generator-near-limit", ...shares });
  if (allowed.overlap && busyCpus >= limits.full * allowed.union) {
    warnings.push({ code: "shared-cpus", cpus: allowed.union, busyCpus });
  }
  return { reasons, warnings };
}
