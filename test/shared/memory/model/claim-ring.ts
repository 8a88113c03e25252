import type { Model, Step } from "./explore.js";

/**
 * The claim ring of src/shared/memory/claim-ring.ts between the producer of src/pool/pool.ts and the consumers of src/pool/worker.ts.
 * Every step is one access to shared memory. Not steps of their own are loads of words that nobody else can change at that time: the
 * producer's of `generation`, which it alone writes, and those of `heldBy`, which looks for the id of a consumer that has ended.
 */
export interface ClaimRingSetting {
  readonly slots: number;
  readonly consumers: number;
  readonly items: number;
  /** How often a consumer may die, at any step; the producer recovers what it held and a successor takes its id. */
  readonly deaths: number;
  /** How many items may be taken back because their client has gone (Pool.abandon). */
  readonly abandoned: number;
  /** How many items may be given up at any time, whoever has them (Pool.#expire). */
  readonly expired: number;
  /** Items that a consumer may still owe an answer for when it claims the next one: promises that are pending. */
  readonly pending: number;
  readonly mistake?: ClaimRingMistake;
}

export type ClaimRingMistake =
  | "claim without compare-and-swap"
  | "tail moved before the claim"
  | "head before state"
  | "state before payload"
  | "reserve without a look"
  | "no recovery"
  | "answers without a generation"
  | "generation compared instead of owner";

const FREE = 0;
const FILLED = 1;
const OWNED = 2;
const NONE = -1;
/** Counters wrap here, as they do at 2³² in the code; both start just before. */
const WRAP = 64;
/** So that a payload can be half written. */
const PAYLOAD_WORDS = 2;

/** Slot, generation and item. */
type Answer = readonly [slot: number, generation: number, item: number];

interface Consumer {
  at: "tail" | "head" | "claim" | "own" | "advance" | "generation" | "payload" | "check" | "answer" | "dead";
  tail: number;
  won: boolean;
  slot: number;
  generation: number;
  read: number[];
  pending: Answer[];
}

interface State {
  // Shared memory, without the ring of answers: a consumer's answers, oldest first.
  head: number;
  tail: number;
  states: number[];
  ticks: number[];
  payload: number[][];
  answers: Answer[][];
  // The processes.
  producer: {
    at:
      | "idle"
      | "reserve"
      | "look"
      | "payload"
      | "generation"
      | "state"
      | "head"
      | "withdraw"
      | "give back"
      | "recover";
    item: number;
    cursor: number;
    own: number;
    knownTail: number;
    tried: number;
    slot: number;
    held: number[];
    of: number;
  };
  consumers: Consumer[];
  /** Pool.#replies: by slot, the item whose client waits. */
  replies: number[];
  left: { deaths: number; abandoned: number; expired: number };
  // What is checked.
  outcomes: number[];
  claims: number[];
  served: number[];
  /** Items that are published and not yet claimed, oldest first. */
  queue: number[];
  flaw: string | null;
}

const ready = (): Consumer => ({ at: "tail", tail: 0, won: false, slot: 0, generation: 0, read: [], pending: [] });
const idle = { at: "idle", tried: 0, slot: 0, held: [] as number[], of: 0 } as const;

/** Properties: every item has exactly one outcome, its own; none is claimed or served twice; who sees the true tail gets the oldest. */
export function claimRingModel(setting: ClaimRingSetting): Model<State> {
  const { slots, consumers, items, mistake } = setting;
  const distance = (a: number, b: number): number => (a - b + WRAP) % WRAP;
  const after = (position: number): number => (position + 1) % WRAP;

  const settle = (s: State, slot: number, item: number): void => {
    s.states[slot] = FREE;
    const waiting = s.replies[slot]!;
    s.replies[slot] = NONE;
    if (waiting === NONE) return;
    if (waiting !== item) s.flaw = "an answer reached another request";
    s.outcomes[waiting]!++;
  };

  /** ClaimRing.reserve and publish, with writeRequest between them. */
  const push = (s: State): void => {
    const p = s.producer;
    const slot = p.cursor % slots;
    switch (p.at) {
      case "reserve":
        if (distance(p.cursor, p.knownTail) >= slots) {
          p.knownTail = s.tail;
          if (distance(p.cursor, p.knownTail) >= slots) Object.assign(p, idle, { cursor: p.own });
          else p.at = "look";
          return;
        }
        look(s, slot);
        return;
      case "look":
        look(s, slot);
        return;
      case "payload":
        s.payload[slot]![p.tried++] = p.item;
        if (p.tried === PAYLOAD_WORDS) p.at = mistake === "state before payload" ? "head" : "generation";
        return;
      case "generation":
        s.ticks[slot]!++;
        p.at = mistake === "head before state" ? "head" : "state";
        return;
      case "state":
        s.states[slot] = FILLED;
        s.replies[slot] = p.item;
        s.queue.push(p.item);
        p.tried = 0;
        if (mistake === "head before state") pushed(s);
        else p.at = mistake === "state before payload" ? "payload" : "head";
        return;
      default:
        s.head = after(p.cursor);
        if (mistake === "head before state") p.at = "state";
        else pushed(s);
    }
  };
  const look = (s: State, slot: number): void => {
    const p = s.producer;
    if (s.states[slot] === FREE || mistake === "reserve without a look") {
      p.own = p.cursor;
      p.tried = 0;
      p.at = mistake === "state before payload" ? "generation" : "payload";
    } else if (p.tried + 1 === slots) {
      Object.assign(p, idle, { cursor: p.own });
    } else {
      p.tried++;
      p.cursor = after(p.cursor);
      p.at = "reserve";
    }
  };
  const pushed = (s: State): void => {
    const p = s.producer;
    p.own = after(p.own);
    Object.assign(p, idle, { cursor: p.own, item: p.item + 1 });
  };

  /** ClaimRing.revoke, for Pool.abandon and the first half of Pool.#expire. */
  const revoke = (s: State, slot: number): boolean => {
    if (s.states[slot] !== FILLED) return false;
    s.states[slot] = FREE;
    const item = s.replies[slot]!;
    s.queue.splice(s.queue.indexOf(item), 1);
    return true;
  };

  /** The main thread: what it does runs to its end before it does the next thing. */
  const produce = (state: State): Step<State>[] => {
    const steps: Step<State>[] = [];
    const step = (by: string, change: (s: State) => void): void => {
      const s = copy(state);
      change(s);
      steps.push({ by: `producer: ${by}`, state: s });
    };
    const { at, item, held } = state.producer;
    if (at === "withdraw") {
      step("withdraw, generation", (s) => {
        s.ticks[s.producer.slot]!++;
        s.producer.at = "give back";
      });
      return steps;
    }
    if (at === "give back") {
      step("withdraw, release", (s) => {
        s.states[s.producer.slot] = FREE;
        Object.assign(s.producer, idle);
      });
      return steps;
    }
    if (at === "recover") {
      step("recover", (s) => {
        const slot = s.producer.held.shift();
        if (slot !== undefined) settle(s, slot, s.replies[slot]!);
        if (held.length > 1) return;
        s.consumers[s.producer.of] = ready();
        Object.assign(s.producer, idle);
      });
      return steps;
    }
    if (at !== "idle") {
      step(at, push);
      return steps;
    }
    if (item < items) {
      step("reserve", (s) => {
        s.producer.at = "reserve";
        push(s);
      });
    }
    state.consumers.forEach((consumer, id) => {
      const [answer] = state.answers[id]!;
      if (answer !== undefined) {
        step(`settle ${answer}`, (s) => {
          s.answers[id]!.shift();
          const [slot, generation, answered] = answer;
          if (generation === s.ticks[slot] || mistake === "answers without a generation") settle(s, slot, answered);
        });
      } else if (consumer.at === "dead" && mistake !== "no recovery") {
        step(`consumer ${id} has ended`, (s) => {
          s.producer.at = "recover";
          s.producer.of = id;
          s.producer.held = s.states.flatMap((owner, slot) => (owner === OWNED + id ? [slot] : []));
        });
      }
    });
    state.replies.forEach((waiting, slot) => {
      if (waiting === NONE) return;
      if (state.left.abandoned > 0) {
        step(`abandon item ${waiting}`, (s) => {
          if (!revoke(s, slot)) return;
          s.left.abandoned--;
          s.replies[slot] = NONE;
          s.outcomes[waiting]!++;
        });
      }
      if (state.left.expired > 0) {
        step(`expire item ${waiting}`, (s) => {
          s.left.expired--;
          if (!revoke(s, slot)) {
            s.producer.at = "withdraw";
            s.producer.slot = slot;
          }
          s.replies[slot] = NONE;
          s.outcomes[waiting]!++;
        });
      }
    });
    return steps;
  };

  const claimed = (s: State, c: Consumer, id: number): void => {
    const item = s.replies[c.slot]!;
    s.states[c.slot] = OWNED + id;
    if (item === NONE) return;
    s.claims[item]!++;
    const place = s.queue.indexOf(item);
    if (place === -1) return;
    if (place > 0 && c.tail === s.tail) s.flaw = "an item was claimed before an older one";
    s.queue.splice(place, 1);
  };

  /** ClaimRing.claim, then serve and answer of worker.ts. */
  const consume = (s: State, id: number): void => {
    const c = s.consumers[id]!;
    const next = (at: Consumer["at"]): void => {
      c.at = at;
    };
    switch (c.at) {
      case "tail":
        c.tail = s.tail;
        next("head");
        break;
      case "head":
        if (c.tail === s.head) Object.assign(c, { ...ready(), pending: c.pending });
        else next(mistake === "tail moved before the claim" ? "advance" : "claim");
        break;
      case "claim":
        c.slot = c.tail % slots;
        c.won = s.states[c.slot] === FILLED;
        if (mistake === "claim without compare-and-swap" && c.won) {
          next("own");
          break;
        }
        if (c.won) claimed(s, c, id);
        if (mistake !== "tail moved before the claim") next("advance");
        else if (c.won) next("generation");
        else Object.assign(c, { ...ready(), pending: c.pending });
        break;
      case "own":
        claimed(s, c, id);
        next("advance");
        break;
      case "advance":
        if (mistake === "tail moved before the claim") {
          next(s.tail === c.tail ? "claim" : "tail");
          if (s.tail === c.tail) s.tail = after(c.tail);
          break;
        }
        if (s.tail === c.tail) s.tail = after(c.tail);
        if (c.won) next("generation");
        else Object.assign(c, { ...ready(), pending: c.pending });
        break;
      case "generation":
        c.generation = s.ticks[c.slot]!;
        next("payload");
        break;
      case "payload":
        c.read.push(s.payload[c.slot]![c.read.length]!);
        if (c.read.length === PAYLOAD_WORDS) next("check");
        break;
      case "check": {
        const good =
          mistake === "generation compared instead of owner"
            ? s.ticks[c.slot] === c.generation
            : s.states[c.slot] === OWNED + id;
        if (!good) {
          Object.assign(c, { ...ready(), pending: c.pending });
          break;
        }
        const [item, last] = c.read;
        if (item !== last || item === NONE) s.flaw = "a request was served that was half another one";
        else s.served[item!]!++;
        next("answer");
        break;
      }
      case "answer":
        s.answers[id]!.push([c.slot, c.generation, c.read[0]!]);
        Object.assign(c, { ...ready(), pending: c.pending });
        break;
    }
  };

  const work = (state: State): Step<State>[] =>
    state.consumers.flatMap((consumer, id) => {
      if (consumer.at === "dead") return [];
      const steps: Step<State>[] = [];
      const step = (by: string, change: (s: State) => void): void => {
        const s = copy(state);
        change(s);
        steps.push({ by: `consumer ${id}: ${by}`, state: s });
      };
      step(consumer.at, (s) => consume(s, id));
      if (consumer.at === "answer" && consumer.pending.length < setting.pending) {
        step("pending", (s) => {
          const c = s.consumers[id]!;
          s.consumers[id] = { ...ready(), pending: [...c.pending, [c.slot, c.generation, c.read[0]!]] };
        });
      }
      if (consumer.at === "tail" && consumer.pending.length > 0) {
        step("answer a pending one", (s) => {
          s.answers[id]!.push(s.consumers[id]!.pending.shift()!);
        });
      }
      if (state.left.deaths > 0) {
        step("dies", (s) => {
          s.left.deaths--;
          s.consumers[id] = { ...ready(), at: "dead" };
        });
      }
      return steps;
    });

  return {
    start: {
      head: WRAP - 1,
      tail: WRAP - 1,
      states: Array(slots).fill(FREE),
      ticks: Array(slots).fill(0),
      payload: Array(slots).fill(Array(PAYLOAD_WORDS).fill(NONE)),
      answers: Array(consumers).fill([]),
      producer: { ...idle, item: 0, cursor: WRAP - 1, own: WRAP - 1, knownTail: WRAP - 1 },
      consumers: Array.from({ length: consumers }, ready),
      replies: Array(slots).fill(NONE),
      left: { deaths: setting.deaths, abandoned: setting.abandoned, expired: setting.expired },
      outcomes: Array(items).fill(0),
      claims: Array(items).fill(0),
      served: Array(items).fill(0),
      queue: [],
      flaw: null,
    },
    next: (state) => [...produce(state), ...work(state)],
    broken: ({ flaw, outcomes, claims, served }) => {
      if (flaw !== null) return flaw;
      if (claims.some((count) => count > 1)) return "an item was claimed twice";
      if (served.some((count) => count > 1)) return "an item was served twice";
      return outcomes.some((count) => count > 1) ? "an item had two outcomes" : null;
    },
    done: ({ outcomes, states, head, tail, answers, producer }) =>
      outcomes.every((count) => count === 1) &&
      states.every((state) => state === FREE) &&
      head === tail &&
      answers.every((waiting) => waiting.length === 0) &&
      producer.at === "idle",
  };
}

/** States are small, and copied a million times: by hand. */
function copy(s: State): State {
  return {
    ...s,
    states: [...s.states],
    ticks: [...s.ticks],
    payload: s.payload.map((words) => [...words]),
    answers: s.answers.map((waiting) => [...waiting]),
    producer: { ...s.producer, held: [...s.producer.held] },
    consumers: s.consumers.map((c) => ({ ...c, read: [...c.read], pending: [...c.pending] })),
    replies: [...s.replies],
    left: { ...s.left },
    outcomes: [...s.outcomes],
    claims: [...s.claims],
    served: [...s.served],
    queue: [...s.queue],
  };
}
