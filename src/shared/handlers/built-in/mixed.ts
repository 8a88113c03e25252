import { mix32 } from "../../hash.js";
import type { HandlerContext } from "../context.js";
import { type Handler, queryNumber, textResponse } from "../handler.js";
import { burn } from "./burn.js";
import { burnBounds } from "./cpu.js";

const fast = textResponse(200, "fast");
const slow = textResponse(200, "slow");

/**
 * A number in [0, 1) for the n-th request of a sequence: `mix32` over the Weyl sequence of the golden ratio. The same seed gives the same sequence in every core, whichever thread takes the request.
 */
export function sequenceNumber(seed: number, n: number): number {
  return (mix32((Math.imul(n, 0x9e3779b9) + seed) | 0) >>> 0) / 2 ** 32;
}

/** `/mixed?slow=0.05&us=10000&seed=1`: this share of the requests burns that many µs, the others answer at once. */
export function mixed({ shared }: HandlerContext): Handler {
  const count = new Int32Array(shared.mixedCount);
  return ({ query }) => {
    const parameters = new URLSearchParams(query);
    const share = queryNumber(parameters, "slow", { min: 0, max: 1, default: 0.05 });
    const micros = queryNumber(parameters, "us", { ...burnBounds, default: 10_000 });
    const seed = queryNumber(parameters, "seed", { min: 0, max: 2 ** 32 - 1, default: 1 });
    if (sequenceNumber(seed, Atomics.add(count, 0, 1)) >= share) return fast;
    burn(Math.round(micros * shared.iterationsPerMicro));
    return slow;
  };
}
