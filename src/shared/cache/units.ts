/** Which units of a shard are in use: a bit for each. All calls under the shard's lock. */
export class UnitMap {
  readonly #words: Int32Array;
  readonly #base: number;
  readonly #units: number;

  constructor(words: Int32Array, base: number, units: number) {
    this.#words = words;
    this.#base = base;
    this.#units = units;
  }

  /** Next fit: the first unit of a run of `count` that are free, now in use, looked for from unit `from` on; −1 when there is none. */
  take(count: number, from: number): number {
    const start = this.#find(count, from, this.#units);
    return start !== -1 ? start : this.#find(count, 0, this.#units);
  }

  #find(count: number, from: number, end: number): number {
    let start = from;
    let run = 0;
    for (let unit = from; unit < end; ) {
      const word = this.#words[this.#base + (unit >> 5)]!;
      if (word === -1 && (unit & 31) === 0) {
        // 32 units in use at once.
        unit += 32;
        run = 0;
        continue;
      }
      if ((word & (1 << (unit & 31))) !== 0) {
        run = 0;
      } else {
        if (run === 0) start = unit;
        if (++run === count) {
          this.set(start, count, true);
          return start;
        }
      }
      unit++;
    }
    return -1;
  }

  /** Marks a run as used or free. */
  set(start: number, count: number, used: boolean): void {
    for (let unit = start; unit < start + count; unit++) {
      const word = this.#base + (unit >> 5);
      const bit = 1 << (unit & 31);
      this.#words[word] = used ? this.#words[word]! | bit : this.#words[word]! & ~bit;
    }
  }

  /** Marks all as free. */
  clear(): void {
    this.#words.fill(0, this.#base, this.#base + Math.ceil(this.#units / 32));
  }
}
