/**
 * A small explicit-state model checker. A model is a plain state and a function that lists every state one atomic step of one process
 * away; each step is one access to shared memory, as in the code it mirrors. All interleavings of the processes are visited.
 */
export interface Model<State> {
  readonly start: State;
  /** All next steps; a process that only looks and finds nothing new may lead back to the same state. */
  next(state: State): readonly Step<State>[];
  /** What is wrong with a state, or null. */
  broken(state: State): string | null;
  /** Everything is done: from every state that can be reached such a state must be reachable, or something is stuck. */
  done(state: State): boolean;
}

/** One step and where it leads; states are JSON, and a step leaves the state it starts from as it was. */
export interface Step<State> {
  /** Who does what, for the trace. */
  readonly by: string;
  readonly state: State;
}

export interface Exploration {
  /** Different states that were reached. */
  readonly states: number;
  /** null when no reachable state is broken and none is stuck. */
  readonly violation: Violation | null;
}

export interface Violation {
  readonly what: string;
  /** The steps that lead there, as few as there can be. */
  readonly trace: readonly string[];
}

const MAX_STATES = 2_000_000;

/** Visits every reachable state, breadth first. Throws RangeError when there are more than two million. */
export function explore<State>(model: Model<State>): Exploration {
  const ids = new Map<string, number>();
  const keys: string[] = [];
  const done: number[] = [];
  /** By state: the step that reached it first and where that came from; all states it was reached from. */
  const firstBy: string[] = [];
  const firstFrom: number[] = [];
  const before: number[][] = [];

  const reach = (state: State, from: number, by: string): void => {
    const key = JSON.stringify(state);
    let id = ids.get(key);
    if (id === undefined) {
      if (keys.length >= MAX_STATES) throw new RangeError(`more than ${MAX_STATES} states`);
      id = keys.push(key) - 1;
      ids.set(key, id);
      firstBy.push(by);
      firstFrom.push(from);
      before.push([]);
    }
    if (from !== -1) before[id]!.push(from);
  };
  const violation = (what: string, id: number): Exploration => {
    const trace: string[] = [];
    for (let at = id; at > 0; at = firstFrom[at]!) trace.unshift(firstBy[at]!);
    return { states: keys.length, violation: { what, trace } };
  };

  reach(model.start, -1, "");
  for (let id = 0; id < keys.length; id++) {
    const state = JSON.parse(keys[id]!) as State;
    const wrong = model.broken(state);
    if (wrong !== null) return violation(wrong, id);
    if (model.done(state)) done.push(id);
    for (const step of model.next(state)) reach(step.state, id, step.by);
  }

  // Backwards from what is done: what is not met is stuck for good.
  const canEnd = new Uint8Array(keys.length);
  for (const id of done) canEnd[id] = 1;
  for (let id = done.pop(); id !== undefined; id = done.pop()) {
    for (const previous of before[id]!) {
      if (canEnd[previous] === 1) continue;
      canEnd[previous] = 1;
      done.push(previous);
    }
  }
  const stuck = canEnd.indexOf(0);
  return stuck === -1 ? { states: keys.length, violation: null } : violation("stuck", stuck);
}
