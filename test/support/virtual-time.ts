/** One timer of the code under test. */
interface Timer {
  readonly use: () => void;
  readonly everyMs: number | null;
  dueMs: number;
}

/** Timers and a clock for code that a test loads with globals of its own: time passes when the test says so. */
export class VirtualTime {
  nowMs = 0;
  #timers: Timer[] = [];
  #immediates: (() => void)[] = [];

  /** To be seen by the code in place of the real ones. */
  readonly globals = {
    performance: { now: () => this.nowMs },
    setImmediate: (use: () => void) => this.#immediates.push(use),
    setTimeout: (use: () => void, delayMs: number) => this.#add(use, delayMs, null),
    setInterval: (use: () => void, delayMs: number) => this.#add(use, delayMs, delayMs),
    clearInterval: (timer: unknown) => this.#remove(timer),
    clearTimeout: (timer: unknown) => this.#remove(timer),
  };

  #add(use: () => void, delayMs: number, everyMs: number | null): Timer & { unref(): Timer } {
    const timer = { use, everyMs, dueMs: this.nowMs + delayMs, unref: () => timer };
    this.#timers.push(timer);
    return timer;
  }

  #remove(timer: unknown): void {
    this.#timers = this.#timers.filter((one) => one !== timer);
  }

  /** When the next timer is due, ms from now; null: there is none. */
  get nextMs(): number | null {
    return this.#timers.length === 0 ? null : Math.min(...this.#timers.map(({ dueMs }) => dueMs)) - this.nowMs;
  }

  get immediates(): number {
    return this.#immediates.length;
  }

  /** Time passes, and what becomes due is done in order. */
  advance(ms: number): void {
    const endMs = this.nowMs + ms;
    for (;;) {
      const [next] = this.#timers.filter(({ dueMs }) => dueMs <= endMs).sort((one, other) => one.dueMs - other.dueMs);
      if (next === undefined) break;
      this.nowMs = next.dueMs;
      if (next.everyMs === null) this.#remove(next);
      else next.dueMs += next.everyMs;
      next.use();
    }
    this.nowMs = endMs;
  }

  /** One pass of the event loop: what it was asked for before. */
  tick(): void {
    const due = this.#immediates;
    this.#immediates = [];
    for (const use of due) use();
  }
}
