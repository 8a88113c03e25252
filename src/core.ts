import type { ServerConfig } from "./shared/config.js";
import type { HandlerContext } from "./shared/handlers/context.js";
import type { HandlerRequest, HandlerResponse } from "./shared/handlers/handler.js";
import type { WorkersView } from "./shared/stats/worker-states.js";

/** Where the answer to one request goes. Made by the adapter, used by a core, on the main thread. */
export interface Reply {
  /** The client has gone: an answer is no longer of use. It is safe to send one all the same. */
  readonly aborted: boolean;
  /** The core's own note on this request; −1 until it writes one. */
  ticket: number;
  /** Answers, now or later, exactly once. See COPIED_BODY_BYTES for how long the body is still needed. Gives the response's pin back. */
  send(response: HandlerResponse): void;
}

/** A concurrency core: decides where and when handlers run. */
export interface Core {
  /** What those who only look may see of its workers and its queue; null for a core without. */
  readonly workersView: WorkersView | null;
  /** Names of the header fields that the handler of a path reads, in lower case: those that a request for it must bring. */
  headersOf(path: string): readonly string[];
  /** Whether the user has a handler of their own on a path. */
  isOwn(path: string): boolean;
  /**
   * Takes one request. Calls `reply.send` exactly once, before it returns or later, on the main thread, whatever becomes of
   * the handler: a queue that is full answers 503. Never throws.
   */
  submit(request: HandlerRequest, reply: Reply): void;
  /** The client of a request that is not answered yet has gone: what has not begun need not be. */
  abandon(reply: Reply): void;
  /** Ends its threads. The adapter has drained before: what is still unanswered then is lost. */
  stop(): Promise<void>;
}

/** How a core is chosen and made; each core's folder exports one. */
export interface CoreModule {
  /** Word of the `--mode` flag. */
  readonly name: string;
  /** Threads beside the main one that may run handlers. */
  threads(config: Pick<ServerConfig, "workers">): number;
  /** Starts the core's threads; resolves when they take requests. `context` is the main thread's. */
  start(context: HandlerContext): Promise<Core>;
}
