/** Student's t distribution; its degrees of freedom need not be whole. */

/**
 * Both tails beyond ±|t|, with an absolute error below 10⁻¹². Infinite t: 0.
 * Source: M. Abramowitz and I. Stegun, Handbook of Mathematical Functions, 26.7.1 and 26.5.27: the regularized incomplete beta function
 * I(x; ν/2, ½) at x = ν ÷ (ν + t²).
 */
export function twoSidedT(t: number, freedom: number): number {
  const x = freedom / (freedom + t * t);
  return Number.isFinite(t) ? incompleteBeta(x, freedom / 2, 0.5) : 0;
}

/** The t beyond ±which the distribution has this share of its area, by bisection. */
export function tBeyond(share: number, freedom: number): number {
  let [low, high] = [0, 1];
  while (twoSidedT(high, freedom) > share) [low, high] = [high, 2 * high];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (twoSidedT(middle, freedom) > share) low = middle;
    else high = middle;
  }
  return high;
}

/** I(x; a, b). Source: W. Press et al., Numerical Recipes, 2nd ed., section 6.4. */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1;
  const factor = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  // The continued fraction converges fast below the mean of the distribution; above it I(x; a, b) = 1 − I(1 − x; b, a).
  return x < (a + 1) / (a + b + 2)
    ? (factor * betaFraction(x, a, b)) / a
    : 1 - (factor * betaFraction(1 - x, b, a)) / b;
}

/** The continued fraction of the incomplete beta function, by Lentz's method. */
function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const away = (value: number): number => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m <= 300; m++) {
    let change = 1;
    for (const step of [
      (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m)),
      (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1)),
    ]) {
      d = 1 / away(1 + step * d);
      c = away(1 + step / c);
      change = d * c;
      fraction *= change;
    }
    if (Math.abs(change - 1) < 1e-15) break;
  }
  return fraction;
}

/** ln Γ(x) for x > 0 by Stirling's series, after shifting x above 10. Source: Abramowitz and Stegun, 6.1.15 and 6.1.41. */
function logGamma(x: number): number {
  let shifted = x;
  let product = 1;
  while (shifted < 10) product *= shifted++;
  const inverse = 1 / (shifted * shifted);
  const series =
    (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse * (1 / 1680 - inverse / 1188)))) / shifted;
  return (shifted - 0.5) * Math.log(shifted) - shifted + Math.log(2 * Math.PI) / 2 + series - Math.log(product);
}
