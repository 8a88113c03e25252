/** How a value is held against a limit, as `--fail-if` has it. */
export type LimitSign = "<" | "<=" | ">" | ">=";

/** Whether a value is on the side of a limit that its sign names; no number never is. */
export function isBeyond(value: number, sign: LimitSign, limit: number): boolean {
  switch (sign) {
    case "<":
      return value < limit;
    case "<=":
      return value <= limit;
    case ">":
      return value > limit;
    case ">=":
      return value >= limit;
  }
}
