import type { Model, Step } from "./explore.js";

/**
 * The doorbell of src/shared/memory/doorbell.ts between workers that answer (answer() of src/pool/worker.ts) and the main thread that collects
 * (Pool.#collect, #recover). Every step is one access to shared memory or one message; a ring of answers, which has a model of its own,
 * is two counters here.
 */
export interface DoorbellSetting {
  readonly workers: number;
  /** What each of them has to tell; a dead one tells no more. */
  readonly answersEach: number;
  /** How many may die, at any step. */
  readonly deaths: number;
  /** Answers that main sends in one tick of its loop. */
  readonly perTick: number;
  readonly mistake?: DoorbellMistake;
}

export type DoorbellMistake =
  | "no second look"
  | "press before commit"
  | "no look when a worker dies"
  | "bound without another tick";

interface State {
  armed: boolean;
  /** By worker: answers committed, and read. */
  committed: number[];
  read: number[];
  /** What brings main back into its loop: messages, a tick it has asked for, workers that have ended. */
  messages: number;
  scheduled: boolean;
  ended: number[];
  main: { at: "loop" | "last" | "disarm" | "drain" | "arm" | "look" | "off"; worker: number; sent: number };
  workers: { at: "commit" | "press" | "swap" | "post" | "commit late" | "dead"; left: number }[];
  left: number;
}

/** Property: no answer that was committed stays unread. */
export function doorbellModel(setting: DoorbellSetting): Model<State> {
  const { perTick, mistake } = setting;

  const collect = (s: State): void => {
    const m = s.main;
    const has = s.committed[m.worker]! > s.read[m.worker]!;
    const nextRing = (): boolean => {
      m.worker = (m.worker + 1) % s.workers.length;
      return m.worker === 0;
    };
    const toLoop = (again: boolean): void => {
      s.scheduled ||= again;
      s.main = { at: "loop", worker: 0, sent: 0 };
    };
    switch (m.at) {
      case "last":
        // Without a bound: the reader of a dead worker is about to go.
        if (has) s.read[m.worker]!++;
        else s.main = { at: "disarm", worker: 0, sent: 0 };
        break;
      case "disarm":
        s.armed = false;
        m.at = "drain";
        break;
      case "drain":
        if (has) {
          s.read[m.worker]!++;
          m.sent++;
          if (m.sent === perTick) toLoop(mistake !== "bound without another tick");
        } else if (nextRing()) {
          m.at = "arm";
        }
        break;
      case "arm":
        s.armed = true;
        if (mistake === "no second look") toLoop(false);
        else m.at = "look";
        break;
      case "look":
        if (has) m.at = "off";
        else if (nextRing()) toLoop(false);
        break;
      case "off":
        s.armed = false;
        toLoop(true);
        break;
    }
  };

  const main = (state: State): Step<State>[] => {
    const steps: Step<State>[] = [];
    const step = (by: string, change: (s: State) => void): void => {
      const s = copy(state);
      change(s);
      steps.push({ by: `main: ${by}`, state: s });
    };
    if (state.main.at !== "loop") {
      step(`${state.main.at} ${state.main.worker}`, collect);
      return steps;
    }
    if (state.messages > 0) {
      step("message", (s) => {
        s.messages--;
        s.main.at = "disarm";
      });
    }
    if (state.scheduled) {
      step("next tick", (s) => {
        s.scheduled = false;
        s.main.at = "disarm";
      });
    }
    const [dead] = state.ended;
    if (dead !== undefined && mistake !== "no look when a worker dies") {
      step(`worker ${dead} has ended`, (s) => {
        s.ended.shift();
        s.main = { at: "last", worker: dead, sent: 0 };
      });
    }
    return steps;
  };

  const act = (s: State, id: number): void => {
    const w = s.workers[id]!;
    const pressesFirst = mistake === "press before commit";
    const commit = (): void => {
      s.committed[id]!++;
      w.left--;
    };
    const rung = pressesFirst ? "commit late" : "commit";
    switch (w.at) {
      case "commit":
        if (pressesFirst) {
          w.at = s.armed ? "swap" : rung;
        } else {
          commit();
          w.at = "press";
        }
        break;
      case "press":
        w.at = s.armed ? "swap" : rung;
        break;
      case "swap":
        w.at = s.armed ? "post" : rung;
        s.armed = false;
        break;
      case "post":
        s.messages++;
        w.at = rung;
        break;
      case "commit late":
        commit();
        w.at = "commit";
        break;
    }
  };

  const work = (state: State): Step<State>[] =>
    state.workers.flatMap(({ at, left }, id) => {
      if (at === "dead" || (at === "commit" && left === 0)) return [];
      const s = copy(state);
      act(s, id);
      const steps = [{ by: `worker ${id}: ${at}`, state: s }];
      if (state.left > 0) {
        const died = copy(state);
        died.left--;
        died.workers[id] = { at: "dead", left: 0 };
        died.ended.push(id);
        steps.push({ by: `worker ${id} dies`, state: died });
      }
      return steps;
    });

  return {
    start: {
      armed: true,
      committed: Array(setting.workers).fill(0),
      read: Array(setting.workers).fill(0),
      messages: 0,
      scheduled: false,
      ended: [],
      main: { at: "loop", worker: 0, sent: 0 },
      workers: Array.from({ length: setting.workers }, () => ({ at: "commit", left: setting.answersEach })),
      left: setting.deaths,
    },
    next: (state) => [...main(state), ...work(state)],
    broken: () => null,
    done: ({ committed, read, workers }) =>
      committed.every((count, id) => count === read[id]) &&
      workers.every(({ at, left }) => at === "dead" || (at === "commit" && left === 0)),
  };
}

function copy(s: State): State {
  return {
    ...s,
    committed: [...s.committed],
    read: [...s.read],
    ended: [...s.ended],
    main: { ...s.main },
    workers: s.workers.map((worker) => ({ ...worker })),
  };
}
