import { type RequestHead, ServerRequest } from "../shared/handlers/request.js";

/** A request in a worker: it asks to be told that its client has gone only when its handler looks at the signal. */
export class PooledRequest extends ServerRequest {
  readonly #watched: WatchedRequests;
  readonly #slot: number;
  readonly #generation: number;
  #state: "unwatched" | "watched" | "answered" = "unwatched";

  constructor(head: RequestHead, watched: WatchedRequests, slot: number, generation: number) {
    super(head);
    this.#watched = watched;
    this.#slot = slot;
    this.#generation = generation;
  }

  override get signal(): AbortSignal {
    this.#watch();
    return super.signal;
  }

  override whenGone(callback: (() => void) | null): void {
    super.whenGone(callback);
    if (callback !== null) this.#watch();
  }

  #watch(): void {
    if (this.#state !== "unwatched") return;
    this.#state = "watched";
    this.#watched.add(this, this.#slot, this.#generation);
  }

  /** Its answer, or the head of a stream, is sent: the slot is about to be another request's. */
  answered(): void {
    if (this.#state === "watched") this.#watched.delete(this.#slot, this.#generation);
    this.#state = "answered";
  }
}

/** Requests of one worker whose signal is looked at. */
export class WatchedRequests {
  readonly #byKey = new Map<number, PooledRequest>();
  readonly #watch: (slot: number, generation: number) => boolean;

  /** `watch` asks main to tell of a request that it gives up; true: it has already. */
  constructor(watch: (slot: number, generation: number) => boolean) {
    this.#watch = watch;
  }

  add(request: PooledRequest, slot: number, generation: number): void {
    if (this.#watch(slot, generation)) request.abort();
    else this.#byKey.set(keyOf(slot, generation), request);
  }

  delete(slot: number, generation: number): void {
    this.#byKey.delete(keyOf(slot, generation));
  }

  /** Main has given a request up. */
  abandoned(slot: number, generation: number): void {
    const key = keyOf(slot, generation);
    const request = this.#byKey.get(key);
    this.#byKey.delete(key);
    request?.abort();
  }
}

/** A slot's generation: one that was given up may still be at work beside the next. There are at most 2²⁰ slots. */
function keyOf(slot: number, generation: number): number {
  return (generation >>> 0) * 2 ** 20 + slot;
}
