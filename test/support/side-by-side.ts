type Body = () => Promise<void>;

/**
 * Bodies of tests that wait for the clock and leave the processor idle: all begin when the first is due, and each is reported as its own test,
 * whichever suite it is in. With `--name`, those that were not chosen run too, unreported.
 */
export class SideBySide {
  readonly #bodies: Body[] = [];
  #running: readonly Promise<PromiseSettledResult<void>[]>[] | null = null;

  add(body: Body): Body {
    const index = this.#bodies.push(body) - 1;
    return async () => {
      this.#running ??= this.#bodies.map((run) => Promise.allSettled([run()]));
      const [ended] = await this.#running[index]!;
      if (ended?.status === "rejected") throw ended.reason;
    };
  }
}
