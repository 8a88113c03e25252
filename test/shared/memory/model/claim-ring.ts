import type { Model } from "./explore.js";

/** Sizes of the model, and the mistake to build in, if any. */
export interface ClaimRingSetting {
  readonly slots: number;
  readonly consumers: number;
  readonly items: number;
  /** Consumers that may die, at any step; fewer than there are. */
  readonly deaths: number;
  readonly mistake?: "claim without compare-and-swap" | "head before state" | "reserve without a look" | "no recovery";
}

const FREE = 0;
const FILLED = 1;
const OWNED = 2;
/** Counters wrap here, as they do at 2³² in the code. */
const WRAP = 8;

interface Consumer {
  at: "tail" | "head" | "claim" | "store" | "advance" | "read" | "answer" | "dead";
  tail: number;
  slot: number;
  won: boolean;
  item: number;
}

interface State {
  head: number;
  tail: number;
  states: number[];
  payload: number[];
  /** Answers on their way back: slot and item. */
  answers: [number, number][];
  settled: number[];
  deaths: number;
  producer: {
    at: "reserve" | "look" | "fill" | "publish" | "head";
    item: number;
    head: number;
    own: number;
    knownTail: number;
  };
  consumers: Consumer[];
}

/** The claim ring of src/shared/memory/claim-ring.ts: reserve, publish and release by one producer, claim by consumers that die. */
export function claimRingModel({ slots, consumers, items, deaths, mistake }: ClaimRingSetting): Model<State> {
  const distance = (a: number, b: number): number => (a - b + WRAP) % WRAP;
  const copy = (state: State): State => structuredClone(state);

  /** reserve(), publish(), one access a step. */
  const produce = (state: State): State[] => {
    const next = copy(state);
    const p = next.producer;
    if (p.item === items) return [];
    const slot = p.head % slots;
    switch (p.at) {
      case "reserve":
        if (distance(p.head, p.knownTail) >= slots) {
          p.knownTail = state.tail;
          // Full for now: the request would be refused, and the next one starts where this one did.
          if (distance(p.head, p.knownTail) >= slots) p.head = p.own;
        } else {
          p.at = mistake === "reserve without a look" ? "fill" : "look";
        }
        break;
      case "look":
        if (state.states[slot] === FREE) {
          p.own = p.head;
          p.at = "fill";
        } else {
          p.head = (p.head + 1) % WRAP;
          p.at = "reserve";
        }
        break;
      case "fill":
        next.payload[slot] = p.item;
        p.at = mistake === "head before state" ? "head" : "publish";
        break;
      case "publish":
        next.states[slot] = FILLED;
        if (mistake === "head before state") finishPush(next);
        else p.at = "head";
        break;
      case "head":
        next.head = (p.head + 1) % WRAP;
        if (mistake === "head before state") p.at = "publish";
        else finishPush(next);
        break;
    }
    return [next];
  };
  const finishPush = (next: State): void => {
    const p = next.producer;
    p.head = (p.head + 1) % WRAP;
    p.own = p.head;
    p.item++;
    p.at = "reserve";
  };

  /** The producer's other work, between two pushes: an answer is settled and its slot released; a dead consumer's slots are recovered. */
  const collect = (state: State): State[] => {
    if (state.producer.at !== "reserve") return [];
    const [answer] = state.answers;
    if (answer !== undefined) {
      const next = copy(state);
      next.answers.shift();
      next.states[answer[0]] = FREE;
      next.settled[answer[1]]!++;
      return [next];
    }
    if (mistake === "no recovery") return [];
    return state.consumers.flatMap((consumer, id) => {
      const slot = consumer.at === "dead" ? state.states.indexOf(OWNED + id) : -1;
      if (slot === -1) return [];
      const next = copy(state);
      next.states[slot] = FREE;
      next.settled[state.payload[slot]!]!++;
      return [next];
    });
  };

  /** claim(), then the answer. */
  const consume = (state: State, id: number): State[] => {
    const next = copy(state);
    const c = next.consumers[id]!;
    const slot = c.tail % slots;
    switch (c.at) {
      case "dead":
        return [];
      case "tail":
        c.tail = state.tail;
        c.at = "head";
        break;
      case "head":
        c.at = c.tail === state.head ? "tail" : "claim";
        break;
      case "claim":
        c.won = state.states[slot] === FILLED;
        c.slot = slot;
        if (mistake === "claim without compare-and-swap" && c.won) {
          c.at = "store";
        } else {
          if (c.won) next.states[slot] = OWNED + id;
          c.at = "advance";
        }
        break;
      case "store":
        next.states[slot] = OWNED + id;
        c.at = "advance";
        break;
      case "advance":
        if (state.tail === c.tail) next.tail = (c.tail + 1) % WRAP;
        c.at = c.won ? "read" : "tail";
        break;
      case "read":
        c.item = state.payload[c.slot]!;
        c.at = "answer";
        break;
      case "answer":
        next.answers.push([c.slot, c.item]);
        c.at = "tail";
        break;
    }
    // What a finished step leaves in locals does not matter any more, and would only multiply states.
    if (c.at === "tail") Object.assign(c, { tail: 0, slot: 0, won: false, item: 0 });
    const died = copy(state);
    died.deaths++;
    Object.assign(died.consumers[id]!, { at: "dead", tail: 0, slot: 0, won: false, item: 0 });
    return state.deaths < deaths ? [next, died] : [next];
  };

  return {
    start: {
      // Close to the wrap.
      head: WRAP - 1,
      tail: WRAP - 1,
      states: Array(slots).fill(FREE),
      payload: Array(slots).fill(-1),
      answers: [],
      settled: Array(items).fill(0),
      deaths: 0,
      producer: { at: "reserve", item: 0, head: WRAP - 1, own: WRAP - 1, knownTail: WRAP - 1 },
      consumers: Array.from({ length: consumers }, () => ({ at: "tail", tail: 0, slot: 0, won: false, item: 0 })),
    },
    next: (state) => [...produce(state), ...collect(state), ...state.consumers.flatMap((_, id) => consume(state, id))],
    broken: ({ settled }) => (settled.some((count) => count > 1) ? "an item was delivered twice" : null),
    done: ({ settled, states }) => settled.every((count) => count === 1) && states.every((state) => state === FREE),
  };
}
