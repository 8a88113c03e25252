import type { ServerConfig } from "./shared/config.js";
import type { HandlerContext } from "./shared/handlers/context.js";
import type { HandlerResponse } from "./shared/handlers/handler.js";
import type { ServerRequest } from "./shared/handlers/request.js";
import type { Route, UserCodeFacts } from "./shared/handlers/route.js";
import type { WorkersView } from "./shared/stats/worker-states.js";

/** Where the answer to one request goes. Made by the adapter, used by a core, on the main thread. */
export interface Reply {
  /** The client has gone: an answer is no longer of use. It is safe to send one all the same. */
  readonly aborted: boolean;
  /** The core's own note on this request; −1 until it writes one. */
  ticket: number;
  /**
   * Answers, now or later, exactly once. See COPIED_BODY_BYTES for how long the body is still needed. Gives the response's pin back. Of a
   * StreamBody the head leaves at once, and the chunks are pulled after this has returned: the core's part of the request is over.
   */
  send(response: HandlerResponse): void;
}

/** The body of one request that arrives in pieces, in memory of the core's. */
export interface BodyCollector {
  /** Adds a piece, which is copied. False: there is no memory for it now, and nothing of it was taken. */
  push(piece: Uint8Array): boolean;
  /** Copies all so far to the start of `target`, and gives its memory back. */
  moveTo(target: Buffer): void;
  /** Gives its memory back, unless it has been submitted or moved. */
  discard(): void;
}

/** A concurrency core: decides where and when handlers run. */
export interface Core {
  /** What those who only look may see of its workers and its queue; null for a core without. */
  readonly workersView: WorkersView | null;
  /** The user's code that it runs; null: none. */
  readonly userCode: UserCodeFacts | null;
  /** What a request needs, asked before its body is read. Costs no more than a look into a table. */
  routeOf(method: string, path: string): Route;
  /**
   * null: its handler gets the very `request.body` that is submitted. Else the core copies the body before `submit` returns, so that it may lie in
   * memory that changes afterwards. Of a body that arrives in pieces, what this collects is submitted with `request`, in place of `request.body`.
   */
  collectBody(request: ServerRequest): BodyCollector | null;
  /**
   * Takes one request, whose body is there or comes as its stream. Calls `reply.send` exactly once, before it returns or later, on the main
   * thread, whatever becomes of the handler: a queue that is full answers 503. Never throws. Only methods of the route come here.
   */
  submit(request: ServerRequest, reply: Reply): void;
  /**
   * The client of a request that is not answered yet has gone: what has not begun need not be. The adapter has called `request.abort()`;
   * a core whose handlers see another object aborts that one's signal. Once a stream is being sent it is told by the `return` of its chunks.
   */
  abandon(reply: Reply): void;
  /** Ends the user's code and its threads. The adapter has drained before: what is still unanswered then is lost. */
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
