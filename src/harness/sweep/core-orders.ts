import type { Random } from "../statistics/random.js";

/** Blocks in which each order comes as often as its reverse. Even. */
const GROUP_BLOCKS = 8;

/**
 * The orders in which the blocks of one load take the cores, one a call: drawn at random, so that who comes first has nothing to do with what the
 * machine does next. The test of a ratio rests on that (statistics/sign-flips.ts): with every second block reversed, trials of which each resembles
 * the one before make more false calls. In every eight blocks each order comes as often as its reverse, so that no core is always the first.
 */
export function coreOrders(cores: readonly string[], random: Random): () => readonly string[] {
  let group: (readonly string[])[] = [];
  return () => {
    if (group.length === 0) {
      const orders = Array.from({ length: GROUP_BLOCKS / 2 }, () => shuffled(cores, random));
      group = [...shuffled([...orders, ...orders.map((order) => order.toReversed())], random)];
    }
    return group.pop()!;
  };
}

/** A new order, all equally likely (Fisher and Yates; Durstenfeld, CACM 7(7), 1964). */
export function shuffled<T>(items: readonly T[], random: Random): readonly T[] {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
