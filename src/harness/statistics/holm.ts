/**
 * p-values corrected for being several, in the order given: whoever rejects those at or below α is wrong about any of them in at most α of
 * all cases, however the tests depend on each other. The k-th smallest of m is multiplied by m − k + 1, and none falls below one before it.
 *
 * Source: S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6(2), 1979.
 */
export function holm(pValues: readonly number[]): readonly number[] {
  const order = pValues.map((_, index) => index).sort((a, b) => pValues[a]! - pValues[b]!);
  const adjusted = new Array<number>(pValues.length);
  let least = 0;
  for (const [place, index] of order.entries()) {
    least = Math.max(least, Math.min(1, (pValues.length - place) * pValues[index]!));
    adjusted[index] = least;
  }
  return adjusted;
}
