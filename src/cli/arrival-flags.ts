import { readFileSync } from "node:fs";
import type { Arrivals } from "../harness/load/request/options.js";
import { messageOf, usageError } from "../shared/errors.js";
import { text } from "./values/options.js";

/** Flags of an open loop's schedule. */
export const arrivalFlags = {
  arrivals: {
    describe:
      "with --rate: poisson, at random as from many users; even; or a file with the seconds from the start, a line each, which needs no --rate [default: poisson]",
  },
  ramp: { describe: "with --rate: seconds in which it rises from 0 [default: 0]" },
} as const;

const MAX_INSTANTS = 10_000_000;

/** `--arrivals`. Throws a usage error that names the flag or the line of the file. */
export function arrivalsOf(raw: unknown): Arrivals {
  const value = text("arrivals", raw ?? "poisson");
  if (value === "poisson" || value === "even") return value;
  let content: string;
  try {
    content = readFileSync(value, "utf8");
  } catch (error) {
    throw usageError(`--arrivals must be even, poisson or a file: ${value} cannot be read: ${messageOf(error)}`);
  }
  const instants: number[] = [];
  for (const [index, line] of content.split("\n").entries()) {
    const seconds = line.trim();
    if (seconds === "" || seconds.startsWith("#")) continue;
    const ms = Number(seconds) * 1000;
    const previous = instants.at(-1) ?? 0;
    if (!(ms >= previous && ms <= 86_400_000)) {
      throw usageError(
        `--arrivals ${value}, line ${index + 1}: "${seconds.slice(0, 40)}" must be the seconds from the start, up to a day, and no less than the line before`,
      );
    }
    if (instants.push(ms) > MAX_INSTANTS) throw usageError(`--arrivals ${value} has more than ${MAX_INSTANTS} lines`);
  }
  if (instants.length === 0)
    throw usageError(`--arrivals ${value} has no instant: write seconds from the start, a line each`);
  return Float64Array.from(instants);
}

/** The mean rate of recorded arrivals, requests per second. */
export function rateOf(instants: Float64Array): number {
  const last = instants[instants.length - 1]!;
  return instants.length === 1 || last === 0 ? 1 : ((instants.length - 1) * 1000) / last;
}
