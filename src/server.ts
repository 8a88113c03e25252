import { monitorEventLoopDelay } from "node:perf_hooks";
import { AccessLog } from "./access-log/access-log.js";
import { Background, createSleeper } from "./background/background.js";
import type { Core, CoreModule } from "./core.js";
import { listen } from "./front/front.js";
import { loadUws } from "./front/uws.js";
import { pool } from "./pool/pool.js";
import { reactor } from "./reactor/reactor.js";
import type { ServerConfig } from "./shared/config.js";
import { calibrate } from "./shared/handlers/burn.js";
import { backgroundSlot, createSharedState, type HandlerContext, threadContext } from "./shared/handlers/context.js";
import { Field, ThreadStats } from "./shared/stats.js";

/** Every core there is: to add one, write its folder and name it here. */
const coreModules: readonly CoreModule[] = [reactor, pool];

/** The words of `--mode`. */
export const modes: readonly string[] = coreModules.map(({ name }) => name);

/** A server that accepts connections. */
export interface RunningServer {
  readonly url: string;
  readonly port: number;
  /** Worker threads that run handlers, "2" or "1:4"; "0" where the event loop does. */
  readonly workers: string;
  /** The main thread's slot of the stats segment. */
  readonly mainStats: ThreadStats;
  /** The file of the access log was renamed: a new one of its name is opened. */
  reopenLog(): void;
  /** Answers what is in flight, within the configured time, and ends all threads; called again it waits for the same end. Resolves with the number of requests cut off. */
  stop(): Promise<number>;
}

/**
 * Composes shared memory, core and front. `modules` are the cores to choose from, for those that are not loopool's own.
 * Throws a LoopoolError when something it needs is not to be had.
 */
export async function startServer(config: ServerConfig, modules = coreModules): Promise<RunningServer> {
  const module = modules.find(({ name }) => name === config.mode);
  if (module === undefined) throw new RangeError(`no core is called "${config.mode}"`);
  const uws = await loadUws();
  const threads = module.threads(config);
  const shared = createSharedState(config, threads, {
    iterationsPerMicro: config.iterationsPerMicro ?? calibrate(),
    uws: uws.version,
  });
  const context = threadContext(shared, 0);
  const { log, stopBackground } = await startBackground(context, threads);
  let core: Core | undefined;
  try {
    const started = await module.start(context);
    core = started;
    const front = await listen(uws, config, started, context.stats, log);
    const stopWatching = watchEventLoop(context.stats);
    const stop = async (): Promise<number> => {
      const cutOff = await front.drain(config.drainTimeoutMs);
      stopWatching();
      await started.stop();
      // Last: what was cut off is logged too.
      await stopBackground();
      return cutOff;
    };
    let stopped: Promise<number> | undefined;
    return {
      url: front.url,
      port: front.port,
      workers: threads > config.workers.min ? `${config.workers.min}:${threads}` : String(threads),
      mainStats: context.stats,
      reopenLog: () => log?.reopen(),
      // Once only: µWS frees its listening socket when it is closed.
      stop: () => (stopped ??= stop()),
    };
  } catch (error) {
    await core?.stop();
    await stopBackground();
    throw error;
  }
}

/** Opens the access log and starts the thread that writes it; no log, no thread. Throws a LoopoolError when it cannot be opened. */
async function startBackground({ shared, stats }: HandlerContext, workers: number) {
  const { config } = shared;
  if (config.log === null) return { log: null, stopBackground: async () => {} };
  const sleeper = createSleeper();
  const log = AccessLog.open(config.log, sleeper, stats);
  const slot = backgroundSlot(workers);
  const background = await Background.start({ stats: shared.stats, slot, sleeper, log: log.startup }, (cause) => {
    const lost = log.writerEnded(written.get(Field.logLines));
    console.error(
      `loopool: the background thread ended (${cause}): ${lost} lines of the access log are lost, and all that would follow`,
    );
  });
  const written = new ThreadStats(shared.stats, slot);
  const stopBackground = async (): Promise<void> => {
    await background.stop(config.drainTimeoutMs);
    const lost = log.writerEnded(written.get(Field.logLines));
    if (lost > 0) console.error(`loopool: ${lost} lines of the access log could not be written before the end`);
  };
  return { log, stopBackground };
}

const WATCH_INTERVAL_MS = 50;
const DELAY_RESOLUTION_MS = 10;

/** Writes the main event loop's use and delay into the stats, so that any thread can read them. Returns how to end it. */
function watchEventLoop(stats: ThreadStats): () => void {
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  delay.enable();
  const timer = setInterval(() => {
    const { active, idle } = performance.eventLoopUtilization();
    stats.set(Field.loopActiveMs, active);
    stats.set(Field.loopIdleMs, idle);
    // What it records is the time between two of its ticks, the planned interval included.
    stats.set(Field.loopDelayMaxMs, Math.max(0, delay.max / 1e6 - DELAY_RESOLUTION_MS));
  }, WATCH_INTERVAL_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    delay.disable();
  };
}
