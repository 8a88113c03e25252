import { type RequestHead, ServerRequest } from "../shared/handlers/request.js";

/** A request in a worker: it asks to be told that its client has gone only when its handler looks at the signal. */
export class PooledRequest extends ServerRequest {
  readonly #watched: WatchedRequests;
  readonly #slot: number;
  readonly #turn: number;
  #state: "unwatched" | "watched" | "answered" = "unwatched";

  constructor(head: RequestHead, watched: WatchedRequests, slot: number, turn: number) {
    super(head);
    this.#watched = watched;
    this.#slot = slot;
    this.#turn = turn;
  }

  override get signal(): AbortSignal {
    if (this.#state === "unwatched") {
      this.#state = "watched";
      this.#watched.add(this, this.#slot, this.#turn);
    }
    return super.signal;
  }

  /** Its answer, or the head of a stream, is sent: the slot is about to be another request's. */
  answered(): void {
    if (this.#state === "watched") this.#watched.delete(this.#slot, this.#turn);
    this.#state = "answered";
  }
}

/** Requests of one worker whose signal is looked at. */
export class WatchedRequests {
  readonly #byKey = new Map<number, PooledRequest>();
  readonly #watch: (slot: number, turn: number) => boolean;

  /** `watch` asks main to tell of a request that it gives up; true: it has already. */
  constructor(watch: (slot: number, turn: number) => boolean) {
    this.#watch = watch;
  }

  add(request: PooledRequest, slot: number, turn: number): void {
    if (this.#watch(slot, turn)) request.abort();
    else this.#byKey.set(keyOf(slot, turn), request);
  }

  delete(slot: number, turn: number): void {
    this.#byKey.delete(keyOf(slot, turn));
  }

  /** Main has given a request up. */
  abandoned(slot: number, turn: number): void {
    const key = keyOf(slot, turn);
    const request = this.#byKey.get(key);
    this.#byKey.delete(key);
    request?.abort();
  }
}

/** A slot's generation: one that was given up may still be at work beside the next. There are at most 2²⁰ slots. */
function keyOf(slot: number, turn: number): number {
  return (turn >>> 0) * 2 ** 20 + slot;
}
