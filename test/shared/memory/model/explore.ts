/**
 * A small exhaustive explorer. A model is a plain state and a function that lists every state one atomic step of one process away:
 * each step is one access to shared memory, as in the code it mirrors. All interleavings are visited.
 */
export interface Model<State> {
  readonly start: State;
  /** All next states; a process that only looks and finds nothing new may lead back to the same state. */
  next(state: State): readonly State[];
  /** What is wrong with a state, or null. */
  broken(state: State): string | null;
  /** Everything is done: from every state that can be reached such a state must be reachable, or something is stuck. */
  done(state: State): boolean;
}

export interface Exploration {
  readonly states: number;
  /** null when no reachable state is broken and none is stuck. */
  readonly violation: string | null;
}

const MAX_STATES = 2_000_000;

/** Visits every reachable state. Throws RangeError when there are more than two million. */
export function explore<State>(model: Model<State>): Exploration {
  const ids = new Map<string, number>();
  const states: State[] = [];
  const before: number[][] = [];
  const idOf = (state: State): number => {
    const key = JSON.stringify(state);
    const known = ids.get(key);
    if (known !== undefined) return known;
    if (states.length >= MAX_STATES) throw new RangeError(`more than ${MAX_STATES} states`);
    ids.set(key, states.length);
    before.push([]);
    return states.push(state) - 1;
  };

  idOf(model.start);
  for (let id = 0; id < states.length; id++) {
    const state = states[id]!;
    const wrong = model.broken(state);
    if (wrong !== null) return { states: states.length, violation: `${wrong}: ${JSON.stringify(state)}` };
    for (const after of model.next(state)) before[idOf(after)]!.push(id);
  }

  // Backwards from what is done: what is not met is stuck for good.
  const canEnd = new Uint8Array(states.length);
  const open = states.flatMap((state, id) => (model.done(state) ? [id] : []));
  for (const id of open) canEnd[id] = 1;
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    for (const previous of before[id]!) {
      if (canEnd[previous] === 1) continue;
      canEnd[previous] = 1;
      open.push(previous);
    }
  }
  const stuck = canEnd.indexOf(0);
  return { states: states.length, violation: stuck === -1 ? null : `stuck: ${JSON.stringify(states[stuck])}` };
}
