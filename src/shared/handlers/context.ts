import type { ServerConfig } from "../config.js";
import { PHASES_BYTES } from "../phases.js";
import { statsBytes, ThreadStats } from "../stats.js";

/** What all threads of a server share, made once by the main thread and handed to the others as it is. */
export interface SharedState {
  readonly config: ServerConfig;
  /** The stats segment. */
  readonly stats: SharedArrayBuffer;
  /** Histograms of where a request's time goes. */
  readonly phases: SharedArrayBuffer;
  /** One word: how many requests `/mixed` has had. Every thread adds to it. */
  readonly mixedCount: SharedArrayBuffer;
  readonly iterationsPerMicro: number;
  /** Version of the front's library, for the record. */
  readonly uws: string;
  /** When the server started, ms since 1970 with fractions. */
  readonly startedAtMs: number;
}

/** The background thread's slot of the stats segment: the last. */
export function backgroundSlot(workers: number): number {
  return 1 + workers;
}

/** Allocates the shared state of a server whose core has `workers` threads beside the main one. */
export function createSharedState(
  config: ServerConfig,
  workers: number,
  facts: { readonly iterationsPerMicro: number; readonly uws: string },
): SharedState {
  return {
    config,
    stats: new SharedArrayBuffer(statsBytes(backgroundSlot(workers) + 1)),
    phases: new SharedArrayBuffer(PHASES_BYTES),
    mixedCount: new SharedArrayBuffer(4),
    startedAtMs: performance.timeOrigin + performance.now(),
    ...facts,
  };
}

/** What the handlers of one thread work with. */
export interface HandlerContext {
  readonly shared: SharedState;
  /** This thread's own slot. */
  readonly stats: ThreadStats;
}

/** The context of one thread: 0 is the main thread, 1 + i worker i. */
export function threadContext(shared: SharedState, thread: number): HandlerContext {
  return { shared, stats: new ThreadStats(shared.stats, thread) };
}
