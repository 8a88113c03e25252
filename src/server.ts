import { monitorEventLoopDelay } from "node:perf_hooks";
import type { AccessLog } from "./access-log/access-log.js";
import type { Adapter, AdapterModule } from "./adapter.js";
import { createSleeper } from "./background/background.js";
import { startBackground } from "./background/start.js";
import type { CoreModule } from "./core.js";
import { withMetricsOnMain } from "./metrics-on-main.js";
import type { ServerConfig } from "./shared/config.js";
import { calibrate } from "./shared/handlers/built-in/burn.js";
import { createSharedState, type HandlerContext, threadContext } from "./shared/handlers/context.js";
import { Counter, type ThreadStats } from "./shared/stats/stats.js";

/** Imports what it names when it is used: a server loads one core and one adapter. */
type Loaders<T> = Readonly<Record<string, () => Promise<T>>>;

/** Every core there is, by the word of `--mode`: to add one, write its folder and name it here. */
const cores: Loaders<CoreModule> = {
  reactor: async () => (await import("./reactor/reactor.js")).reactor,
  pool: async () => (await import("./pool/pool.js")).pool,
};

/** Every adapter there is, by the word of `--adapter`. */
const adapterModules: Loaders<AdapterModule> = {
  uws: async () => (await import("./http/uws/adapter.js")).uwsAdapter,
  node: async () => (await import("./http/node/adapter.js")).nodeAdapter,
};

export const modes: readonly string[] = Object.keys(cores);
export const adapters: readonly string[] = Object.keys(adapterModules);

/** A server that accepts connections. */
export interface RunningServer {
  /** Where to reach it: "http://localhost:9090", "https://…", or "unix:/path" for a Unix-domain socket. */
  readonly url: string;
  /** 0 for a Unix-domain socket. */
  readonly port: number;
  /** Worker threads that run handlers, "2" or "1:4"; "0" where the event loop does. */
  readonly workers: string;
  /** What the user's application is taken for, in words: "fetch style"; null: there is none. */
  readonly application: string | null;
  /** The main thread's slot of the stats segment. */
  readonly mainStats: ThreadStats;
  /** The file of the access log was renamed: a new one of its name is opened. */
  reopenLog(): void;
  /** Answers what is in flight, within the configured time, and ends all threads; called again it waits for the same end. Resolves with the number of requests cut off. */
  stop(): Promise<number>;
}

/**
 * Composes shared memory, core and adapter. `others` are cores to choose from beside loopool's own.
 * Throws a LoopoolError when something it needs is not to be had.
 */
export async function startServer(config: ServerConfig, others: readonly CoreModule[] = []): Promise<RunningServer> {
  const module = others.find(({ name }) => name === config.mode) ?? (await loaded(cores, config.mode));
  const { uws, listen } = await (await loaded(adapterModules, config.adapter)).load(config.limits);
  const { handlers, plugins, envFile } = config;
  // Before any thread is started: each copies the environment.
  if (handlers !== null || plugins.length > 0 || envFile !== null) {
    (await import("./app/environment.js")).setUpEnvironment(envFile);
  }
  const threads = module.threads(config);
  const shared = createSharedState(config, threads, {
    iterationsPerMicro: config.iterationsPerMicro ?? calibrate(),
    uws,
  });
  const context = threadContext(shared, 0);
  const sleeper = createSleeper();
  // First: what cannot be logged is not served.
  const log = config.log === null ? null : await openLog(config.log, sleeper, context.stats);
  const core = await withMetricsOnMain(await module.start(context), context);
  let adapter: Adapter | undefined;
  try {
    adapter = await listen(config, core, context, log);
    const { url, port, drain } = adapter;
    // After it listens: the mirror is named by the place.
    const listeningAddress = config.unix?.path ?? port;
    const stopBackground = await startBackground({
      context,
      workersView: core.workersView,
      listeningAddress,
      sleeper,
      log,
    });
    const stopWatching = watchLevels(context);
    const stop = async (): Promise<number> => {
      const cutOff = await drain(config.drainTimeoutMs);
      stopWatching();
      await core.stop();
      // Last: what was cut off is logged too.
      await stopBackground();
      return cutOff;
    };
    let stopped: Promise<number> | undefined;
    return {
      url,
      port,
      application: core.userCode?.style ?? null,
      workers: threads > config.workers.min ? `${config.workers.min}:${threads}` : String(threads),
      mainStats: context.stats,
      reopenLog: () => log?.reopen(),
      // Once only: µWS frees its listening socket when it is closed.
      stop: () => (stopped ??= stop()),
    };
  } catch (error) {
    await adapter?.drain(0);
    await core.stop();
    throw error;
  }
}

async function loaded<T>(loaders: Loaders<T>, name: string): Promise<T> {
  const load = Object.hasOwn(loaders, name) ? loaders[name] : undefined;
  if (load === undefined) throw new RangeError(`nothing is called "${name}" here`);
  return await load();
}

async function openLog(...args: Parameters<typeof AccessLog.open>): Promise<AccessLog> {
  return (await import("./access-log/access-log.js")).AccessLog.open(...args);
}

/** Ten readings and fifty ticks a second: a server without requests is to stay under 1% of a CPU. */
const WATCH_INTERVAL_MS = 100;
const DELAY_RESOLUTION_MS = 20;

/** Writes what is not counted but looked up into the stats, so that any thread can read it. Returns how to end it. */
function watchLevels({ stats, cache }: HandlerContext): () => void {
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  delay.enable();
  const timer = setInterval(() => {
    const { active, idle } = performance.eventLoopUtilization();
    stats.set(Counter.loopActiveMs, active);
    stats.set(Counter.loopIdleMs, idle);
    stats.set(Counter.cacheBytes, cache.usedBytes);
    stats.set(Counter.cacheEntries, cache.entries);
    // What it records is the time between two of its ticks, the planned interval included.
    stats.set(Counter.loopDelayMaxMs, Math.max(0, delay.max / 1e6 - DELAY_RESOLUTION_MS));
  }, WATCH_INTERVAL_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    delay.disable();
  };
}
