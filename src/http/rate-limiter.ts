import { randomInt } from "node:crypto";
import { unmapped } from "../access-log/address.js";
import { mix32 } from "../shared/hash.js";

/** Addresses that are remembered: 2¹⁶, of 16 bytes each. */
const SETS = 2 ** 13;
const WAYS = 8;

/**
 * A limit for each client address by the generic cell rate algorithm (ITU-T I.371, annex A): of an address only the time is kept at which
 * it would have used up nothing. Memory is fixed: a table of sets; a new address takes the slot in its set that is idle longest. An
 * address is one IPv4 address or an IPv6 /64, which is what one client is given. The slots are keyed with a random seed, so that nobody
 * can choose addresses that share one.
 */
export class RateLimiter {
  readonly #intervalMs: number;
  readonly #burstMs: number;
  readonly #seed = randomInt(2 ** 32);
  readonly #high = new Uint32Array(SETS * WAYS);
  readonly #low = new Uint32Array(SETS * WAYS);
  /** ms; a time that has passed: the address has all of its requests. */
  readonly #emptyMs = new Float64Array(SETS * WAYS);

  /** `perSecond` requests a second, and as many at once. */
  constructor(perSecond: number) {
    this.#intervalMs = 1000 / perSecond;
    this.#burstMs = 1000 - this.#intervalMs;
  }

  /** Takes one request: 0, or the whole seconds after which the next would be taken. `nowMs` never goes back. */
  take(address: Uint8Array, nowMs: number): number {
    const bytes = unmapped(address);
    const high = word(bytes, 0);
    const low = bytes.length === 16 ? word(bytes, 4) : bytes.length;
    const slot = this.#slotOf(high, low);
    const emptyMs = Math.max(this.#emptyMs[slot]!, nowMs);
    const aheadMs = emptyMs - nowMs - this.#burstMs;
    // Fractions of a millisecond are rounding.
    if (aheadMs > 1e-6) return Math.ceil(aheadMs / 1000);
    this.#emptyMs[slot] = emptyMs + this.#intervalMs;
    return 0;
  }

  #slotOf(high: number, low: number): number {
    const first = (hash(high, low, this.#seed) % SETS) * WAYS;
    let idlest = first;
    for (let slot = first; slot < first + WAYS; slot++) {
      if (this.#high[slot] === high && this.#low[slot] === low) return slot;
      if (this.#emptyMs[slot]! < this.#emptyMs[idlest]!) idlest = slot;
    }
    this.#high[idlest] = high;
    this.#low[idlest] = low;
    this.#emptyMs[idlest] = 0;
    return idlest;
  }
}

function word(bytes: Uint8Array, at: number): number {
  return bytes.length < at + 4
    ? 0
    : ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

function hash(high: number, low: number, seed: number): number {
  return mix32(mix32(seed ^ high) ^ low) >>> 0;
}
