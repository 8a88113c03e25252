import type { Random } from "../src/harness/statistics/random.js";

/** What trials are like besides their true speed: logarithms of their speeds in the order in which they ran. */
export type Noise = (random: Random, trials: number) => number[];

/** Standard deviation of a trial on a machine that does nothing else. */
const SD = 0.05;

export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function independent(draw: (random: Random) => number): Noise {
  return (random, trials) => Array.from({ length: trials }, () => draw(random));
}

/** One trial of so many is slowed to 0.2 to 0.5 of its speed. */
function disturbed(share: number): Noise {
  return independent((random) => SD * normal(random) + (random() < share ? Math.log(0.2 + 0.3 * random()) : 0));
}

/** Ten machines. The modes of "two modes" lie ten standard deviations apart. */
export const noises: Readonly<Record<string, Noise>> = {
  clean: independent((random) => SD * normal(random)),
  "heavy tails": independent((random) => {
    const chiSquare = normal(random) ** 2 + normal(random) ** 2 + normal(random) ** 2;
    return (SD * normal(random)) / Math.sqrt(chiSquare / 3);
  }),
  "5% disturbed": disturbed(0.05),
  "10% disturbed": disturbed(0.1),
  bursts: (random, trials) => {
    let left = 0;
    let by = 0;
    return Array.from({ length: trials }, () => {
      if (left > 0) left--;
      else if (random() < 0.05) {
        left = 1 + Math.floor(5 * random());
        by = Math.log(0.5 + 0.3 * random());
      }
      return SD * normal(random) + (left > 0 ? by : 0);
    });
  },
  autocorrelated: (random, trials) => {
    let next = SD * normal(random);
    return Array.from({ length: trials }, () => {
      const now = next;
      next = 0.7 * now + Math.sqrt(1 - 0.7 ** 2) * SD * normal(random);
      return now;
    });
  },
  drift: (random, trials) =>
    Array.from({ length: trials }, (_, trial) => (-0.3 * trial) / trials + SD * normal(random)),
  "two modes": independent((random) => 0.02 * normal(random) + (random() < 0.5 ? Math.log(0.8) : 0)),
  "two modes, 3 in 10": independent((random) => 0.02 * normal(random) + (random() < 0.3 ? Math.log(0.7) : 0)),
  "one-sided": independent((random) => 0.1 * Math.log(1 - random()) + 0.01 * normal(random)),
};

/** The two cores of a sweep: trials of one block are next to each other, every second block in the reverse order. */
export function blocksOf(noise: Noise, random: Random, blocks: number): { base: number[]; other: number[] } {
  const trials = noise(random, 2 * blocks);
  const first = (block: number): number => (block % 2 === 0 ? 0 : 1);
  const values = Array.from({ length: blocks }, (_, block) => block);
  return {
    base: values.map((block) => trials[2 * block + first(block)]!),
    other: values.map((block) => trials[2 * block + 1 - first(block)]!),
  };
}
