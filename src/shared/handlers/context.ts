import { type CacheShape, cacheBytes } from "../cache/layout.js";
import { LOADING_BYTES, Loading } from "../cache/loading.js";
import { SharedCache } from "../cache/shared-cache.js";
import type { ServerConfig } from "../config.js";
import { PHASES_BYTES } from "../stats/phases.js";
import { statsBytes, ThreadStats } from "../stats/stats.js";
import type { WorkersView } from "../stats/worker-states.js";

/** What all threads of a server share, made once by the main thread and handed to the others as it is. */
export interface SharedState {
  readonly config: ServerConfig;
  /** The cache of all threads, and who reads what for it. */
  readonly cache: {
    readonly memory: SharedArrayBuffer;
    readonly shape: CacheShape;
    readonly loading: SharedArrayBuffer;
  };
  /** The stats segment. */
  readonly stats: SharedArrayBuffer;
  /** Histograms of where a request's time goes. */
  readonly phases: SharedArrayBuffer;
  /** What a core with workers shows of them; null without workers. A core that has them hands its own to its threads. */
  readonly workersView: WorkersView | null;
  /** One word: how many requests `/mixed` has had. Every thread adds to it. */
  readonly mixedCount: SharedArrayBuffer;
  readonly iterationsPerMicro: number;
  /** Version of µWebSockets.js, for the record; "none" on another adapter. */
  readonly uws: string;
  /** When the server started, ms since 1970 with fractions. */
  readonly startedAtMs: number;
}

/** The background thread's slot of the stats segment: the last. */
export function backgroundSlot({ cache }: SharedState): number {
  return cache.shape.threads;
}

/** Allocates the shared state of a server whose core has `workers` threads beside the main one. */
export function createSharedState(
  config: ServerConfig,
  workers: number,
  facts: { readonly iterationsPerMicro: number; readonly uws: string },
): SharedState {
  const shape = { bytes: config.cacheBytes, threads: 1 + workers };
  return {
    config,
    cache: {
      memory: new SharedArrayBuffer(cacheBytes(shape)),
      shape,
      loading: new SharedArrayBuffer(LOADING_BYTES),
    },
    stats: new SharedArrayBuffer(statsBytes(shape.threads + 1)),
    phases: new SharedArrayBuffer(PHASES_BYTES),
    workersView: null,
    mixedCount: new SharedArrayBuffer(4),
    startedAtMs: performance.timeOrigin + performance.now(),
    ...facts,
  };
}

/** What the handlers of one thread work with. */
export interface HandlerContext {
  readonly shared: SharedState;
  /** 0: the main thread; 1 + i: worker i. */
  readonly thread: number;
  /** This thread's own slot. */
  readonly stats: ThreadStats;
  /** This thread's views of the cache. */
  readonly cache: SharedCache;
  readonly loading: Loading;
}

/** The context of one thread: 0 is the main thread, 1 + i worker i. */
export function threadContext(shared: SharedState, thread: number): HandlerContext {
  const stats = new ThreadStats(shared.stats, thread);
  const { memory, shape, loading } = shared.cache;
  // The main thread has sockets to serve.
  const maySleep = thread > 0;
  return {
    shared,
    thread,
    stats,
    cache: new SharedCache({ memory, shape, thread, maySleep, stats }),
    loading: new Loading(loading, thread),
  };
}
