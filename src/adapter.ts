import type { AccessLog } from "./access-log/access-log.js";
import type { Core } from "./core.js";
import type { ServerConfig, ServerLimits } from "./shared/config.js";
import type { HandlerContext } from "./shared/handlers/context.js";

/** An adapter that accepts connections: HTTP on one side, a core on the other. */
export interface Adapter {
  /** Where to reach it: "http://localhost:9090", "https://…", or "unix:/path" for a Unix-domain socket. */
  readonly url: string;
  /** 0 for a Unix-domain socket. */
  readonly port: number;
  /**
   * Stops accepting, waits until every request in flight is answered (each with `Connection: close`) or the deadline has
   * passed, and closes all connections. Resolves with the number of requests that were cut off.
   */
  drain(timeoutMs: number): Promise<number>;
}

/** An adapter whose library is at hand. */
export interface LoadedAdapter {
  /** Version of µWebSockets.js, for the record; "none" where that is not used. */
  readonly uws: string;
  /**
   * Listens and hands to the core every request that is within the limits and of a method that its route takes, and no more
   * bytes of its body than `maxBodyBytes`, unless the route wants it as a stream. The context is the main thread's; `log` is null when there is none.
   * Throws a LoopoolError when its place cannot be had.
   */
  listen(config: ServerConfig, core: Core, context: HandlerContext, log: AccessLog | null): Promise<Adapter>;
}

/** How an adapter is chosen and made; each adapter's folder exports one. */
export interface AdapterModule {
  /** Word of the `--adapter` flag. */
  readonly name: string;
  /** Loads its library. Throws a LoopoolError where that has no binary for this machine. */
  load(limits: ServerLimits): Promise<LoadedAdapter>;
}
