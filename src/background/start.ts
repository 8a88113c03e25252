import type { AccessLog } from "../access-log/access-log.js";
import { tellOperator } from "../shared/failure-log.js";
import { backgroundSlot, type HandlerContext } from "../shared/handlers/context.js";
import { Counter, ThreadStats } from "../shared/stats/stats.js";
import type { WorkersView } from "../shared/stats/worker-states.js";
import { oneLine } from "../shared/terminal-text.js";
import type { ListeningAddress } from "../stats-mirror/format.js";
import { Background } from "./background.js";

/** What the background thread of a server works with. */
export interface BackgroundOf {
  /** The main thread's. */
  readonly context: HandlerContext;
  readonly workersView: WorkersView | null;
  readonly listeningAddress: ListeningAddress;
  readonly sleeper: SharedArrayBuffer;
  readonly log: AccessLog | null;
}

/**
 * Starts the thread that writes the access log and mirrors the stats, of a server that listens already. Returns how to end it: last, so
 * that all is logged and counted.
 */
export async function startBackground(of: BackgroundOf): Promise<() => Promise<void>> {
  const { context, workersView, listeningAddress, sleeper, log } = of;
  if (log === null && !context.shared.config.mirror) return async () => {};
  const shared = { ...context.shared, workersView };
  const slot = backgroundSlot(shared);
  const written = new ThreadStats(shared.stats, slot);
  const startup = { shared, slot, listeningAddress, sleeper, log: log?.startup ?? null };
  const background = await Background.start(startup, (cause) => {
    const lost = log?.writerEnded(written.get(Counter.logLines)) ?? 0;
    const lines = log === null ? "" : `; ${lost} lines of the access log are lost, and all that would follow`;
    tellOperator(
      shared.config,
      `the background thread ended (${oneLine(cause)}): the stats are no longer mirrored${lines}`,
    );
  });
  return async () => {
    await background.stop(shared.config.drainTimeoutMs);
    const lost = log?.writerEnded(written.get(Counter.logLines)) ?? 0;
    if (lost > 0) tellOperator(shared.config, `${lost} lines of the access log could not be written before the end`);
  };
}
