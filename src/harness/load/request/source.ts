import { type Random, seededRandom } from "../../statistics/random.js";
import { type EncodedRequest, RequestEncoder } from "./encode.js";
import { plainGet, type RequestKind } from "./kind.js";
import type { LoadOptions } from "./options.js";

/** The kinds of request of a run. */
export function kindsOf({ kinds, target }: Pick<LoadOptions, "kinds" | "target">): readonly RequestKind[] {
  return kinds ?? [plainGet(target.path)];
}

/** The requests of one thread, one after another: their kinds by the seed and the weights, their fields row by row. */
export class RequestSource {
  readonly #encoders: readonly RequestEncoder[];
  /** By kind: the sum of the weights up to it, its own included. */
  readonly #bounds: readonly number[];
  readonly #random: Random;
  readonly #rows: number;
  /** The row of the next request; the threads take them in turn. */
  #row: number;
  readonly #threads: number;
  /** Where every request is the same. */
  readonly #only: EncodedRequest | null;

  constructor(options: LoadOptions, thread: number, threads: number) {
    const kinds = kindsOf(options);
    const { fields = null, seed = 1 } = options;
    this.#encoders = kinds.map((kind, number) => new RequestEncoder(number, kind, fields, options));
    let sum = 0;
    this.#bounds = kinds.map(({ weight }) => {
      sum += weight;
      return sum;
    });
    // A thread's sequence is its own; the multiplier (Knuth's) keeps those of neighbouring seeds apart.
    this.#random = seededRandom((seed + Math.imul(thread + 1, 0x9e3779b1)) | 0);
    this.#rows = Math.max(1, fields?.rows.length ?? 1);
    this.#row = thread % this.#rows;
    this.#threads = threads;
    this.#only = kinds.length === 1 && fields === null ? this.#encoders[0]!.encode(0) : null;
  }

  /** The next request. */
  next(): EncodedRequest {
    if (this.#only !== null) return this.#only;
    const row = this.#row;
    this.#row = (row + this.#threads) % this.#rows;
    return this.#encoders[this.#pick()]!.encode(row);
  }

  #pick(): number {
    const bounds = this.#bounds;
    if (bounds.length === 1) return 0;
    const drawn = this.#random() * bounds[bounds.length - 1]!;
    let kind = 0;
    while (drawn >= bounds[kind]!) kind++;
    return kind;
  }
}
