import type { ServerRequest, SignalWatcher } from "../shared/handlers/request.js";

/** Requests of one worker whose signal is looked at. */
export class WatchedRequests implements SignalWatcher {
  readonly #byKey = new Map<number, ServerRequest>();
  readonly #ask: (slot: number, generation: number) => boolean;

  /** `ask` asks main to tell of a request that it gives up; true: it has already. */
  constructor(ask: (slot: number, generation: number) => boolean) {
    this.#ask = ask;
  }

  watch(request: ServerRequest, slot: number, generation: number): void {
    if (this.#ask(slot, generation)) request.abort();
    else this.#byKey.set(keyOf(slot, generation), request);
  }

  forget(slot: number, generation: number): void {
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
