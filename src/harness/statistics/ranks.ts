/** What a rank test found. */
export interface RankTest {
  readonly statistic: number;
  /** Two-sided: the probability, where there is no difference, of a statistic at least as far from its expectation. */
  readonly p: number;
  /** From the permutation distribution of the very ranks found, ties included; otherwise its normal approximation. */
  readonly exact: boolean;
}

/** Ranks from 1, ascending; equal values share the mean of their ranks (midranks). */
export function midranks(values: readonly number[]): readonly number[] {
  const order = values.map((_, index) => index).sort((a, b) => values[a]! - values[b]!);
  const ranks = new Array<number>(values.length);
  for (let first = 0; first < order.length; ) {
    let end = first + 1;
    while (end < order.length && values[order[end]!] === values[order[first]!]) end++;
    for (let place = first; place < end; place++) ranks[order[place]!] = (first + 1 + end) / 2;
    first = end;
  }
  return ranks;
}

/** Σ (t³ − t) over the groups of t equal values: what ties take from the variance of a rank statistic. */
export function tieTerm(ranks: readonly number[]): number {
  const sizes = new Map<number, number>();
  for (const rank of ranks) sizes.set(rank, (sizes.get(rank) ?? 0) + 1);
  return [...sizes.values()].reduce((sum, size) => sum + size ** 3 - size, 0);
}
