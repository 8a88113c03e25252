/**
 * Both tails of the standard normal distribution beyond ±|z|, with a relative error below 2·10⁻⁷.
 * Source: W. Press et al., Numerical Recipes, 2nd ed., section 6.2, erfc by Chebyshev fitting; P = erfc(|z| ÷ √2).
 */
export function twoSidedNormal(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + x / 2);
  const polynomial = fitted.reduceRight((sum, coefficient) => sum * t + coefficient, 0);
  return Math.min(1, t * Math.exp(-x * x + polynomial));
}

/** The z beyond ±which the standard normal distribution has this share of its area, by bisection. */
export function zBeyond(share: number): number {
  let [low, high] = [0, 40];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (twoSidedNormal(middle) > share) low = middle;
    else high = middle;
  }
  return high;
}

/** Coefficients of t⁰, t¹, … */
const fitted = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
  0.17087277,
] as const;
