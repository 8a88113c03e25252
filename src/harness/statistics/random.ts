/** The next number of a seeded sequence, in [0, 1). */
export type Random = () => number;

/**
 * A seeded random sequence: sfc32 (Chris Doty-Humphrey, PractRand: a 128-bit state with a counter, period at least 2^32), its state
 * filled by splitmix32 (Guy Steele, Doug Lea, Christine Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014).
 * The same seed gives the same sequence on every machine. Not for secrets.
 */
export function seededRandom(seed: number): Random {
  let weyl = seed | 0;
  const mix = (): number => {
    weyl = (weyl + 0x9e3779b9) | 0;
    let z = weyl;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return z ^ (z >>> 15);
  };
  let a = mix();
  let b = mix();
  let c = mix();
  let counter = 1;
  const next: Random = () => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  // The author's own seeding discards the first outputs, in which a poor seed still shows.
  for (let round = 0; round < 12; round++) next();
  return next;
}
