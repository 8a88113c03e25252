import type { Reply } from "../core.js";
import type { SharedCache } from "../shared/cache/shared-cache.js";
import { discard } from "../shared/dispatch/discard.js";
import type { HandlerContext } from "../shared/handlers/context.js";
import { type HandlerResponse, textResponse } from "../shared/handlers/handler.js";
import { Counter, type ThreadStats } from "../shared/stats/stats.js";

const TIMED_OUT = textResponse(504, "504 Gateway Timeout: the handler took too long");

/** Requests whose handlers returned a promise: one that is not settled in time is answered with 504, and its answer not waited for. */
export class Deadlines {
  readonly #timeoutMs: number;
  readonly #stats: ThreadStats;
  readonly #cache: SharedCache;
  /** Since when each waits, ms: the oldest first. */
  readonly #waiting = new Map<Reply, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(timeoutMs: number, { stats, cache }: HandlerContext) {
    this.#timeoutMs = timeoutMs;
    this.#stats = stats;
    this.#cache = cache;
    this.#timer = setInterval(() => this.#look(), Math.min(1000, Math.max(5, timeoutMs / 10))).unref();
  }

  add(reply: Reply): void {
    this.#waiting.set(reply, performance.now());
  }

  /** The client has gone. */
  forget(reply: Reply): void {
    this.#waiting.delete(reply);
  }

  /** Whether the answer is still wanted; one that is not is let go of. */
  settle(reply: Reply, response: HandlerResponse): boolean {
    if (this.#waiting.delete(reply)) return true;
    discard(response, this.#cache);
    return false;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const latestMs = performance.now() - this.#timeoutMs;
    for (const [reply, sinceMs] of this.#waiting) {
      if (sinceMs > latestMs) return;
      this.#waiting.delete(reply);
      this.#stats.add(Counter.timedOut, 1);
      reply.send(TIMED_OUT);
    }
  }
}
