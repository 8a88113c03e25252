import type { Random } from "../src/harness/statistics/random.js";
import { coreOrders } from "../src/harness/sweep/core-orders.js";

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

/** Eight more, on which nothing was chosen. */
export const heldOut: Readonly<Record<string, Noise>> = {
  "double exponential": independent((random) => 0.035 * Math.log(1 - random()) * (random() < 0.5 ? 1 : -1)),
  uniform: independent((random) => 0.17 * (random() - 0.5)),
  "infinite variance": independent(
    (random) => (SD * normal(random)) / Math.sqrt((normal(random) ** 2 + normal(random) ** 2) / 2),
  ),
  "15% slowed a little": independent(
    (random) => SD * normal(random) + (random() < 0.15 ? Math.log(0.7 + 0.2 * random()) : 0),
  ),
  "random walk": (random, trials) => {
    let at = 0;
    return Array.from({ length: trials }, () => {
      at += 0.03 * normal(random);
      return at + 0.03 * normal(random);
    });
  },
  "period of 7 trials": (random, trials) => {
    const phase = 2 * Math.PI * random();
    return Array.from({ length: trials }, (_, trial) => 0.08 * Math.sin(phase + 0.9 * trial) + 0.03 * normal(random));
  },
  "changing spread": independent((random) => SD * Math.exp(0.7 * normal(random)) * normal(random)),
  "10% faster": independent((random) => 0.03 * normal(random) + (random() < 0.1 ? 0.2 : 0)),
};

/** The two cores of a sweep: trials of one block are next to each other, in the orders that a sweep takes. */
export function blocksOf(noise: Noise, random: Random, blocks: number): { base: number[]; other: number[] } {
  const trials = noise(random, 2 * blocks);
  const nextOrder = coreOrders(["base", "other"], random);
  const base: number[] = [];
  const other: number[] = [];
  for (let block = 0; block < blocks; block++) {
    const [first, second] = [trials[2 * block]!, trials[2 * block + 1]!];
    const baseFirst = nextOrder()[0] === "base";
    base.push(baseFirst ? first : second);
    other.push(baseFirst ? second : first);
  }
  return { base, other };
}
