/**
 * Fisher's exact test, one-sided: the probability of `hits` or more among the first `trials`, if all hits were spread by chance over both
 * groups. Whole numbers, hits at most trials; 1 where a group is empty.
 *
 * Source: R. A. Fisher, The Design of Experiments, 1935, chapter II; R's fisher.test(alternative = "greater").
 */
export function fisherGreater(
  first: { readonly hits: number; readonly trials: number },
  second: { readonly hits: number; readonly trials: number },
): number {
  const hits = first.hits + second.hits;
  const most = Math.min(hits, first.trials);
  const least = Math.max(0, hits - second.trials);
  // Weights of the hypergeometric distribution, each from the one before: P(k + 1) ÷ P(k).
  let weight = 1;
  let all = 0;
  let asMany = 0;
  for (let k = least; k <= most; k++) {
    all += weight;
    if (k >= first.hits) asMany += weight;
    weight *= ((first.trials - k) * (hits - k)) / ((k + 1) * (second.trials - hits + k + 1));
  }
  return asMany / all;
}
