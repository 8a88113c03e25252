import type { Model, Step } from "../../shared/memory/model/explore.js";

/**
 * The words GONE and INTEREST of a slot (src/pool/request-layout.ts), between main, which gives up the slot's request, withdraws it, fills the slot
 * again and gives that one up, too (Pool.abandon, #expire), and the handlers of both requests, which look at their signals at some time, or never
 * (RequestReader.#watch, WatchedRequests). Every step is one access to shared memory or one message.
 */
export type SignalMistake =
  | "look before asking"
  | "look before noting"
  | "interest set back"
  | "no look at the generation";

interface Handler {
  at: "run" | "load" | "swap" | "gone" | "generation" | "watching" | "aborted";
  /** What it found in INTEREST. */
  noted: number;
}

interface State {
  generation: number;
  gone: number;
  interest: number;
  /** How far main is in its script. */
  main: number;
  /** Generations of which main has told the owner. */
  messages: number[];
  /** By request; the second one has the slot's third generation, since a withdrawal counts, too. */
  handlers: [Handler, Handler];
}

const generations = [1, 3] as const;
/** Main's script. A look at INTEREST may post a message. */
const script = ["fill", "note", "look", "withdraw", "fill", "note", "look"] as const;
/** The steps of the script that fill the slot for each request, and that say that it is given up. */
const filledAt = [1, 5] as const;
const givenUpAt = [1, 5] as const;

/** Property: a handler that looks at its signal learns that its request was given up, and none learns it before. */
export function signalModel(mistake?: SignalMistake): Model<State> {
  const order = (step: (typeof script)[number]): (typeof script)[number] => {
    if (mistake !== "look before noting") return step;
    return step === "note" ? "look" : step === "look" ? "note" : step;
  };

  const main = (state: State): Step<State>[] => {
    const step = script[state.main];
    if (step === undefined) return [];
    const s = copy(state);
    s.main++;
    switch (order(step)) {
      case "fill":
      case "withdraw":
        s.generation++;
        break;
      case "note":
        s.gone = s.generation;
        break;
      case "look":
        if (s.interest === s.generation) s.messages.push(s.generation);
        break;
    }
    return [{ by: `main: ${order(step)}`, state: s }];
  };

  const advance = (s: State, handler: Handler, own: number): void => {
    switch (handler.at) {
      case "run":
        handler.at = mistake === "look before asking" ? "gone" : "load";
        break;
      case "load":
        handler.noted = s.interest;
        handler.at = handler.noted >= own && mistake !== "interest set back" ? "gone" : "swap";
        break;
      case "swap":
        if (mistake === "interest set back" || s.interest === handler.noted) {
          s.interest = own;
          handler.at = mistake === "look before asking" ? "watching" : "gone";
        } else {
          handler.at = "load";
        }
        break;
      case "gone":
        if (s.gone === own) handler.at = "aborted";
        else if (mistake === "look before asking") handler.at = "load";
        else handler.at = mistake === "no look at the generation" ? "watching" : "generation";
        break;
      case "generation":
        handler.at = s.generation === own ? "watching" : "aborted";
        break;
    }
  };

  const handlers = (state: State): Step<State>[] =>
    generations.flatMap((own, request) => {
      const { at } = state.handlers[request]!;
      if (state.main < filledAt[request]!) return [];
      const steps: Step<State>[] = [];
      if (at !== "watching" && at !== "aborted") {
        const s = copy(state);
        advance(s, s.handlers[request]!, own);
        steps.push({ by: `handler ${request}: ${at}`, state: s });
      }
      // Its thread takes messages when it runs nothing else.
      const message = state.messages.indexOf(own);
      if (message !== -1 && (at === "run" || at === "watching" || at === "aborted")) {
        const s = copy(state);
        s.messages.splice(message, 1);
        if (at === "watching") s.handlers[request]!.at = "aborted";
        steps.push({ by: `handler ${request}: message`, state: s });
      }
      return steps;
    });

  const isOver = ({ main: at, messages }: State): boolean => at === script.length && messages.length === 0;
  return {
    start: {
      generation: 0,
      gone: 0,
      interest: 0,
      main: 0,
      messages: [],
      handlers: [
        { at: "run", noted: 0 },
        { at: "run", noted: 0 },
      ],
    },
    next: (state) => [...main(state), ...handlers(state)],
    broken(state) {
      for (const [request, { at }] of state.handlers.entries()) {
        if (at === "aborted" && state.main <= givenUpAt[request]!) return `request ${request} was aborted for nothing`;
        if (at === "watching" && isOver(state)) return `request ${request} is never told`;
      }
      return null;
    },
    done: (state) => isOver(state) && state.handlers.every(({ at }) => at === "aborted" || at === "run"),
  };
}

function copy(state: State): State {
  return structuredClone(state);
}
