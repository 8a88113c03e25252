import type { MetricsSource } from "../../src/shared/stats/metrics.js";
import { PHASES_BYTES } from "../../src/shared/stats/phases.js";
import { statsBytes } from "../../src/shared/stats/stats.js";
import { type MirrorDescription, type MirrorState, ownLayouts } from "../../src/stats-mirror/format.js";
import { ownIdentity, type ProcessIdentity } from "../../src/stats-mirror/process-identity.js";

/** States that show a mixture: everything in state n is n. */
export function uniformState(n: number, threads = 1): MirrorState {
  return {
    stats: new Float64Array(statsBytes(threads) / 8).fill(n),
    phases: new Float64Array(PHASES_BYTES / 8).fill(n),
    details: {
      takenAtMs: n,
      process: { cpuUserMicros: n, cpuSystemMicros: n, peakRssBytes: n },
      core: { queued: n, workerStates: [] },
    },
  };
}

/** The n of a uniform state. Throws for a mixture. */
export function uniformValue({ stats, phases, details }: MirrorState): number {
  const n = details.takenAtMs;
  const { cpuUserMicros, cpuSystemMicros, peakRssBytes } = details.process;
  const others = [...stats, ...phases, cpuUserMicros, cpuSystemMicros, peakRssBytes, details.core.queued];
  const other = others.find((value) => value !== n);
  if (other !== undefined) throw new Error(`a mixture of states ${n} and ${other}`);
  return n;
}

const facts: MetricsSource["facts"] = {
  mode: "test",
  adapter: "test",
  pid: process.pid,
  node: process.versions.node,
  uws: "0",
  startedAtMs: 0,
  iterationsPerMicro: 1,
};

/** The description of a mirror with the slots of `threads` threads, written by this process or by another one. */
export function describe(threads = 1, identity: ProcessIdentity = ownIdentity()): MirrorDescription {
  return {
    ...identity,
    ...ownLayouts,
    listeningAddress: 1,
    facts,
    intervalMs: 100,
    statsBytes: statsBytes(threads),
    phasesBytes: PHASES_BYTES,
  };
}
