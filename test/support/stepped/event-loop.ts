import type { Message, World } from "./world.js";

/** What brings a thread back into its code besides what its code asked for. */
export interface Sources {
  /** Names of events that can happen now; one that ends with "?" need not. */
  readonly events?: () => readonly string[];
  readonly onEvent?: (name: string) => void;
  /** Which intervals come: by their names, `every 1000 ms`. The others never do. */
  readonly hasInterval?: (name: string) => boolean;
  readonly onMessage?: (message: Message) => void;
  /** What the thread's own state is, as text, when it is in its loop. */
  readonly state?: () => string;
}

interface Interval {
  readonly name: string;
  readonly use: () => void;
  readonly unref: () => Interval;
}

/** The event loop of a stepped thread: in each pass one immediate, timer, wake-up or message, whichever the search chooses. */
export class EventLoop {
  readonly #world: World;
  readonly #immediates: (() => void)[] = [];
  readonly #microtasks: (() => void)[] = [];
  readonly #timeouts: { readonly name: string; readonly use: () => void }[] = [];
  #intervals: Interval[] = [];
  readonly #woken = new Map<number, () => void>();
  #isEnded = false;

  constructor(world: World) {
    this.#world = world;
  }

  setImmediate(use: () => void): void {
    this.#immediates.push(use);
  }

  setTimeout(use: () => void, delayMs: number): { unref: () => void } {
    this.#timeouts.push({ name: `after ${delayMs} ms`, use });
    return { unref: () => {} };
  }

  /** One that need not come. */
  setInterval(use: () => void, delayMs: number): Interval {
    const interval = { name: `every ${delayMs} ms`, use, unref: () => interval };
    this.#intervals.push(interval);
    return interval;
  }

  clearInterval(interval: unknown): void {
    this.#intervals = this.#intervals.filter((one) => one !== interval);
  }

  soon(use: () => void): void {
    this.#microtasks.push(use);
  }

  whenWoken(id: number, use: () => void): void {
    this.#woken.set(id, use);
  }

  /** The thread ends with this pass. */
  end(): void {
    this.#isEnded = true;
  }

  run({ events, onEvent, onMessage, state, hasInterval }: Sources): void {
    for (;;) {
      for (let next = this.#microtasks.shift(); next !== undefined; next = this.#microtasks.shift()) next();
      if (this.#isEnded) return;
      const waiting = `${this.#immediates.length} ${this.#timeouts.map(({ name }) => name)} ${this.#woken.size} ${this.#intervals.length}`;
      if (state !== undefined) this.#world.mark(`${waiting} ${state()}`);
      const event = this.#world.select([
        ...(this.#immediates.length > 0 ? ["immediate"] : []),
        ...(this.#timeouts.length > 0 ? [this.#timeouts[0]!.name] : []),
        ...this.#intervals.filter(({ name }) => hasInterval?.(name) === true).map(({ name }) => name),
        ...(events?.() ?? []),
      ]);
      if ("message" in event) {
        const data = event.message.data as { readonly woken?: number };
        if (data.woken === undefined) {
          onMessage?.(event.message);
        } else {
          this.#woken.get(data.woken)?.();
          this.#woken.delete(data.woken);
        }
      } else if (event.own === "immediate") {
        this.#immediates.shift()!();
      } else if (event.own === this.#timeouts[0]?.name) {
        this.#timeouts.shift()!.use();
      } else if (event.own.startsWith("every ")) {
        this.#intervals.find(({ name }) => name === event.own)!.use();
      } else {
        onEvent?.(event.own);
      }
    }
  }
}

type Settle = (value: unknown) => void;

/** A promise whose callbacks the event loop of the thread that runs calls, so that they are steps like all else. */
export function steppedPromise(loop: () => EventLoop): unknown {
  return class Stepped {
    readonly #uses: { readonly done: Settle; readonly failed: Settle }[] = [];
    #outcome: { readonly isDone: boolean; readonly value: unknown } | undefined;

    constructor(begin: (resolve: Settle, reject: Settle) => void) {
      begin(
        (value) => this.#settle(true, value),
        (error) => this.#settle(false, error),
      );
    }

    #settle(isDone: boolean, value: unknown): void {
      if (this.#outcome !== undefined) return;
      this.#outcome = { isDone, value };
      for (const use of this.#uses) this.#call(use);
    }

    #call({ done, failed }: { readonly done: Settle; readonly failed: Settle }): void {
      const { isDone, value } = this.#outcome!;
      loop().soon(() => (isDone ? done(value) : failed(value)));
    }

    // biome-ignore lint/suspicious/noThenProperty: it is a promise, and awaited by nobody but the code that is stepped.
    then(done: Settle = () => {}, failed: Settle = () => {}): void {
      const use = { done, failed };
      if (this.#outcome === undefined) this.#uses.push(use);
      else this.#call(use);
    }

    catch(failed: Settle): void {
      this.then(undefined, failed);
    }
  };
}
