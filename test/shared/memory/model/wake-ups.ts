import type { Model } from "./explore.js";

interface ParkingState {
  queued: number;
  taken: number;
  published: number;
  /** The producer: publishing, or looking at worker i, or about to notify it. */
  producer: { at: "publish" | "look" | "swap" | "notify"; worker: number };
  words: number[];
  workers: { at: "take" | "announce" | "check" | "leave" | "wait" | "asleep" }[];
}

const AWAKE = 0;
const PARKED = 1;

/** parking.ts between a producer that wakes one worker for each item and workers that sleep when they find nothing. */
export function parkingModel(workers: number, items: number, mistake?: "check before announcing"): Model<ParkingState> {
  const producer = (state: ParkingState): ParkingState[] => {
    const next = structuredClone(state);
    const p = next.producer;
    const { worker } = p;
    switch (p.at) {
      case "publish":
        if (state.published === items) return [];
        next.published++;
        next.queued++;
        next.producer = { at: "look", worker: 0 };
        break;
      case "look":
        if (worker === workers) next.producer = { at: "publish", worker: 0 };
        else if (state.words[worker] === PARKED) p.at = "swap";
        else p.worker++;
        break;
      case "swap":
        if (state.words[worker] === PARKED) {
          next.words[worker] = AWAKE;
          p.at = "notify";
        } else {
          next.producer = { at: "look", worker: worker + 1 };
        }
        break;
      case "notify":
        if (state.workers[worker]!.at === "asleep") next.workers[worker]!.at = "take";
        next.producer = { at: "publish", worker: 0 };
        break;
    }
    return [next];
  };

  const work = (state: ParkingState, id: number): ParkingState[] => {
    const next = structuredClone(state);
    const w = next.workers[id]!;
    const [afterTake, afterAnnounce, afterCheck] =
      mistake === undefined ? (["announce", "check", "wait"] as const) : (["check", "wait", "announce"] as const);
    switch (w.at) {
      case "take":
        if (state.queued > 0) {
          next.queued--;
          next.taken++;
        } else {
          w.at = afterTake;
        }
        break;
      case "announce":
        next.words[id] = PARKED;
        w.at = afterAnnounce;
        break;
      case "check":
        w.at = state.queued > 0 ? "leave" : afterCheck;
        break;
      case "leave":
        next.words[id] = AWAKE;
        w.at = "take";
        break;
      case "wait":
        w.at = state.words[id] === PARKED ? "asleep" : "take";
        break;
      case "asleep":
        return [];
    }
    return [next];
  };

  return {
    start: {
      queued: 0,
      taken: 0,
      published: 0,
      producer: { at: "publish", worker: 0 },
      words: Array(workers).fill(AWAKE),
      workers: Array.from({ length: workers }, () => ({ at: "take" })),
    },
    next: (state) => [...producer(state), ...state.workers.flatMap((_, id) => work(state, id))],
    broken: ({ taken }) => (taken > items ? "more was taken than published" : null),
    done: ({ taken }) => taken === items,
  };
}

interface DoorbellState {
  /** Answers committed and not yet sent. */
  answers: number;
  sent: number;
  armed: boolean;
  messages: number;
  main: "asleep" | "disarm" | "drain" | "arm" | "look" | "again";
  workers: { at: "commit" | "press" | "swap" | "post" | "dead"; left: number }[];
  deaths: number;
}

/** doorbell.ts between main, which drains a bounded number a turn, and workers, one of which may die at any step. */
export function doorbellModel(
  workers: number,
  answersEach: number,
  deaths: number,
  mistake?: "no second look" | "no look when a worker dies",
): Model<DoorbellState> {
  const main = (state: DoorbellState): DoorbellState[] => {
    const next = structuredClone(state);
    switch (state.main) {
      case "asleep":
        if (state.messages === 0) return [];
        next.messages--;
        next.main = "disarm";
        break;
      case "disarm":
        next.armed = false;
        next.main = "drain";
        break;
      case "drain":
        // At most one a turn: the bound that the code has at 512.
        if (state.answers > 0) {
          next.answers--;
          next.sent++;
          next.main = "again";
        } else {
          next.main = "arm";
        }
        break;
      case "arm":
        next.armed = true;
        next.main = mistake === "no second look" ? "asleep" : "look";
        break;
      case "look":
        next.main = state.answers > 0 ? "disarm" : "asleep";
        break;
      case "again":
        next.main = "disarm";
        break;
    }
    return [next];
  };

  const work = (state: DoorbellState, id: number): DoorbellState[] => {
    const next = structuredClone(state);
    const w = next.workers[id]!;
    if (w.at === "dead" || (w.at === "commit" && w.left === 0)) return [];
    switch (w.at) {
      case "commit":
        next.answers++;
        w.left--;
        w.at = "press";
        break;
      case "press":
        w.at = state.armed ? "swap" : "commit";
        break;
      case "swap":
        w.at = state.armed ? "post" : "commit";
        next.armed = false;
        break;
      case "post":
        next.messages++;
        w.at = "commit";
        break;
    }
    if (state.deaths === deaths) return [next];
    const died = structuredClone(state);
    died.deaths++;
    died.workers[id] = { at: "dead", left: 0 };
    // Its exit event brings main into its loop, which collects; one message stands for it.
    if (mistake !== "no look when a worker dies") died.messages++;
    return [next, died];
  };

  return {
    start: {
      answers: 0,
      sent: 0,
      armed: true,
      messages: 0,
      main: "asleep",
      workers: Array.from({ length: workers }, () => ({ at: "commit", left: answersEach })),
      deaths: 0,
    },
    next: (state) => [...main(state), ...state.workers.flatMap((_, id) => work(state, id))],
    broken: () => null,
    done: ({ answers, workers: all }) =>
      answers === 0 && all.every(({ at, left }) => at === "dead" || (left === 0 && at === "commit")),
  };
}
