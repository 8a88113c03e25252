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

/** A state that a run went through, and what is left to be done there. */
interface Passed {
  readonly saved: ReturnType<World["save"]>;
  readonly left: number;
  readonly traced: number;
}

/** Visits every state that the threads of a world can reach, depth first. */
export function search(world: World, options: SearchOptions): Search {
  const { preemptions = Number.POSITIVE_INFINITY, beside = () => [], isDone } = options;
  /** By state: the preemptions that were left when it was visited. */
  const visited = new Map<number, number>();
  let trace: string[] = [];
  let violation: Violation | null = null;
  const isBounded = preemptions !== Number.POSITIVE_INFINITY;

  const isNew = (last: number, left: number): boolean => {
    const key = world.hash(isBounded ? String(last) : "");
    const before = visited.get(key);
    if (before !== undefined && before >= left) return false;
    visited.set(key, left);
    if (visited.size > MAX_STATES) throw new RangeError(`more than ${MAX_STATES} states`);
    return true;
  };

  /** Takes an action and all that its thread does after it, then what others could have done in between. */
  const take = ({ by, thread, apply }: Action, left: number): void => {
    const passed: Passed[] = [];
    let isKnown = false;
    trace.push(by);
    world.onStep = (running) => {
      if (world.flaw !== null) return false;
      trace.push(`  ${world.lastOf(running)}`);
      // Nobody can come in between: no state of its own.
      if (left === 0 && beside().length === 0) return true;
      isKnown = !isNew(running, left);
      if (isKnown) return false;
      passed.push({ saved: world.save(), left, traced: trace.length });
      return true;
    };
    apply();
    world.onStep = null;
    if (!isKnown) visit(thread, left);
    for (let one = passed.pop(); one !== undefined && violation === null; one = passed.pop()) {
      world.restore(one.saved);
      trace = trace.slice(0, one.traced);
      branch(one.saved, thread, one.left, (action) => action.thread !== thread);
    }
  };

  const branch = (saved: Passed["saved"], last: number, left: number, isWanted: (action: Action) => boolean): void => {
    const canGoOn = world.statusOf(last) === "ready";
    const traced = trace.length;
    for (const action of [...world.actions(), ...beside()]) {
      const rest = canGoOn && action.thread !== last && action.thread !== -1 ? left - 1 : left;
      if (rest < 0 || !isWanted(action)) continue;
      take(action, rest);
      if (violation !== null) return;
      trace = trace.slice(0, traced);
      world.restore(saved);
    }
  };

  const visit = (last: number, left: number): void => {
    if (world.flaw !== null) {
      violation = { what: world.flaw, trace: [...trace] };
      return;
    }
    if (!isNew(last, left)) return;
    const isOver = [...world.actions(), ...beside()].every(({ isOptional }) => isOptional);
    if (isOver && !isDone()) {
      violation = { what: "stuck", trace: [...trace] };
      return;
    }
    branch(world.save(), last, left, () => true);
  };

  visit(-1, preemptions);
  return { states: visited.size, violation };
}
