import type { Action, World } from "./world.js";

export interface SearchOptions {
  /** How often a thread that could go on may be interrupted by another one; none: any number of times, which is every interleaving. */
  readonly preemptions?: number;
  /** What may happen besides: deaths, for example. Called in every state. */
  readonly beside?: () => readonly Action[];
  /** Whether the end has been reached: asked where nothing can happen any more but what need not. */
  readonly isDone: () => boolean;
}

export interface Search {
  readonly states: number;
  readonly violation: Violation | null;
}

export interface Violation {
  readonly what: string;
  readonly trace: readonly string[];
}

const MAX_STATES = 2_000_000;

/** LogEntries every state that the threads of a world can reach, depth first. */
export function search(
  world: World,
  { preemptions = Number.POSITIVE_INFINITY, beside, isDone }: SearchOptions,
): Search {
  /** By state: the preemptions that were left when it was visited. */
  const visited = new Map<number, number>();
  const trace: string[] = [];
  let violation: Violation | null = null;
  const isBounded = preemptions !== Number.POSITIVE_INFINITY;

  const visit = (last: number, left: number): void => {
    if (world.flaw !== null) {
      violation = { what: world.flaw, trace: [...trace] };
      return;
    }
    const key = world.hash(isBounded ? String(last) : "");
    const before = visited.get(key);
    if (before !== undefined && before >= left) return;
    visited.set(key, left);
    if (visited.size > MAX_STATES) throw new RangeError(`more than ${MAX_STATES} states`);
    const actions = [...world.actions(), ...(beside?.() ?? [])];
    if (actions.every(({ isOptional }) => isOptional) && !isDone()) {
      violation = { what: "stuck", trace: [...trace] };
      return;
    }
    const saved = world.save();
    const canGoOn = world.statusOf(last) === "ready";
    for (const { by, thread, apply } of actions) {
      const rest = canGoOn && thread !== last ? left - 1 : left;
      if (rest < 0) continue;
      apply();
      trace.push(thread === -1 ? by : `${by} ${world.lastOf(thread)}`);
      visit(thread === -1 ? last : thread, rest);
      if (violation !== null) return;
      trace.pop();
      world.restore(saved);
    }
  };
  visit(-1, preemptions);
  return { states: visited.size, violation };
}
