import { threadClock } from "../shared/clock.js";
import { messageOf } from "../shared/errors.js";
import { tellOperator } from "../shared/failure-log.js";
import type { SharedState } from "../shared/handlers/context.js";
import { factsOf, NO_WORKERS, processUse } from "../shared/stats/metrics.js";
import { WorkersWatch } from "../shared/stats/worker-states.js";
import { oneLine } from "../shared/terminal-text.js";
import { type ListeningAddress, type MirrorState, mirrorPath, ownLayouts } from "./format.js";
import { ownIdentity } from "./process-identity.js";
import { MirrorWriter } from "./writer.js";

const INTERVAL_MS = 100;
/** A file that could not be had is tried for again after this. */
const RETRY_MS = 5000;

/** What the job is given; it may be handed to a worker thread as it is. */
export interface MirrorStartup {
  readonly shared: SharedState;
  /** Where the server listens: names the file. */
  readonly listeningAddress: ListeningAddress;
  /** Time between two states; 100 where it is not given. */
  readonly intervalMs?: number;
}

/** Mirrors the stats from a thread that is not the main one's, and notes since when each worker has been at what. */
export interface MirrorJob {
  /** Mirrors if it is time, and says how long it can be left alone. Never throws. */
  run(): { readonly afterMs: number; readonly isLight: false };
  /** Nothing but the time ends its rest. */
  isDue(): false;
  /** Takes the file away. Never throws. */
  finish(): void;
}

/**
 * Begins to mirror. A file that cannot be had is told once on standard error and tried for again; the server goes on without it.
 * All calls must come from one thread; the caller sees to it that there is one job for a server.
 */
export function mirrorJob({ shared, listeningAddress, intervalMs = INTERVAL_MS }: MirrorStartup): MirrorJob {
  const watch = shared.workersView === null ? null : new WorkersWatch(shared.workersView, shared.stats);
  const nowMs = threadClock();
  const source = { stats: new Float64Array(shared.stats), phases: new Float64Array(shared.phases) };
  const description = {
    ...ownIdentity(),
    ...ownLayouts,
    listeningAddress,
    facts: factsOf(shared),
    intervalMs,
    statsBytes: source.stats.byteLength,
    phasesBytes: source.phases.byteLength,
  };
  let writer: MirrorWriter | null = null;
  let nextMs = 0;
  let retryMs = 0;
  let told = "";

  // Copies first: what the checksum is made of must not move. V8 copies shared float64 word by word, so none of them is half one.
  const take = (): MirrorState => ({
    stats: source.stats.slice(),
    phases: source.phases.slice(),
    details: {
      takenAtMs: performance.timeOrigin + performance.now(),
      process: processUse(),
      core: watch?.read(nowMs()) ?? NO_WORKERS,
    },
  });
  const mirror = (): void => {
    watch?.sample(nowMs());
    if (nowMs() < retryMs) return;
    try {
      if (writer === null) writer = MirrorWriter.create(mirrorPath(listeningAddress), description, take());
      else writer.write(take());
      told = "";
    } catch (error) {
      retryMs = nowMs() + RETRY_MS;
      if (messageOf(error) !== told) tellOperator(shared.config, oneLine(messageOf(error)));
      told = messageOf(error);
    }
  };

  return {
    run() {
      const restMs = nextMs - nowMs();
      if (restMs > 0) return { afterMs: restMs, isLight: false };
      mirror();
      nextMs = nowMs() + intervalMs;
      return { afterMs: intervalMs, isLight: false };
    },
    isDue: () => false,
    finish() {
      writer?.close();
      writer = null;
    },
  };
}
