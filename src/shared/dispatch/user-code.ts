import type { Plugin } from "../../app/plugins.js";
import { LoopoolError, usageError } from "../errors.js";
import type { FailureLog } from "../failure-log.js";
import type { HandlerContext } from "../handlers/context.js";
import type { PartsOf } from "../handlers/result.js";
import { importHandlers, NO_HANDLERS, type OwnHandlers } from "./import-handlers.js";

/** For `init` of a module or a plug-in, and for the import of one. */
const BEGIN_TIMEOUT_MS = 30_000;

/** What a thread runs that is the user's. */
export interface UserCode {
  readonly own: OwnHandlers;
  readonly plugins: readonly Plugin[];
  /** What makes responses of its results; null: nothing has to, every response is loopool's. */
  readonly partsOf: PartsOf | null;
  /** What ends when the thread does; null: nothing has to. */
  readonly close: (() => Promise<void>) | null;
}

const NONE: UserCode = { own: NO_HANDLERS, plugins: [], partsOf: null, close: null };

/**
 * Loads what the configuration names in this thread, and begins it: plug-ins before the application, so that one may look at how it is loaded.
 * Throws a usage error, in one line, that names what failed; what had begun is closed then.
 */
export async function loadUserCode(context: HandlerContext, failures: FailureLog): Promise<UserCode> {
  const { handlers, appStyle, plugins: paths, tls, mode, drainTimeoutMs } = context.shared.config;
  if (handlers === null && paths.length === 0) return NONE;
  const { partsOfResults } = await import("../handlers/result-parts.js");
  const { begin, closeAll } = await import("../../app/life-cycle.js");
  const { livingOf } = await import("../../app/exports.js");
  const begun: Parameters<typeof begin>[0][] = [];
  const beginNext = async (living: (typeof begun)[number]): Promise<void> => {
    await begin(living, { thread: context.thread, mode }, BEGIN_TIMEOUT_MS);
    begun.push(living);
  };
  const close = (): Promise<void> => closeAll(begun, drainTimeoutMs, (what, error) => failures.add(what, error));
  try {
    const plugins =
      paths.length === 0 ? [] : await (await import("../../app/plugins.js")).loadPlugins(paths, BEGIN_TIMEOUT_MS);
    for (const plugin of plugins) await beginNext(plugin);
    const scheme = tls === null ? "http" : "https";
    const own = handlers === null ? NO_HANDLERS : await importHandlers(handlers, { style: appStyle, scheme });
    if (own.application !== null) await beginNext(livingOf(handlers!, own.application.exports));
    return {
      own,
      plugins,
      partsOf: partsOfResults(),
      close: begun.some((living) => living.close !== null) ? close : null,
    };
  } catch (error) {
    await close();
    throw error instanceof LoopoolError ? error : usageError((error as Error).message);
  }
}
