import type { Model, Step } from "./explore.js";

/**
 * The places of src/shared/memory/parking.ts between a main thread that publishes and wakes (WakeUpBatcher, Pool.#recover, scaleWorkers) and
 * workers (src/pool/work-loop.ts). Every step is one access to shared memory; the ring, which has a model of its own, is two
 * counters here: a claim is one step, and so is a look at whether there is something to claim.
 */
export interface ParkingSetting {
  readonly workers: number;
  readonly items: number;
  /** How often a worker may die, at any step, asleep too. */
  readonly deaths: number;
  /** Whether successors take the places of the dead; where their module fails to load, none does. */
  readonly successors: boolean;
  /** How many workers may be retired; one always stays. */
  readonly retirements: number;
  /** Worker 0 has a promise that never settles, so that it waits asynchronously. */
  readonly lingering: boolean;
  /** A worker that stands still may do so for its time, and then waits in its event loop. */
  readonly timesUp: boolean;
  readonly mistake?: ParkingMistake;
}

export type ParkingMistake =
  | "check before announcing"
  | "wake before publishing"
  | "no wake-up after a death"
  | "nothing recovered after a retirement"
  | "retirement overwritten";

const AWAKE = 0;
const PARKED = 1;
const RETIRED = 2;

interface Worker {
  at: "start" | "take" | "serve" | "announce" | "check" | "leave" | "wait" | "asleep" | "woken" | "resting" | "ended";
  holds: boolean;
  /** It has stood still for its time, and waits in its event loop from now on until it is woken. */
  inLoop: boolean;
  /** Main has told it to end. */
  retiring: boolean;
  /** Main has dealt with its end, and nobody takes its place. */
  vacant: boolean;
}

interface State {
  published: number;
  claimed: number;
  words: number[];
  workers: Worker[];
  main: {
    at: "idle" | "publish" | "look" | "swap" | "notify" | "notify retired";
    /** Published since the last wake-up; −1: woken for what is yet to be published. */
    waiting: number;
    worker: number;
    /** Workers still to be woken by the wake-up that goes on. */
    wanted: number;
  };
  left: { deaths: number; retirements: number };
  outcomes: number;
}

/** Properties: no item waits for ever, whoever sleeps, dies or goes home; each has one outcome; who is retired goes. */
export function parkingModel(setting: ParkingSetting): Model<State> {
  const { items, mistake } = setting;

  /** Parking.wake(count), from its first look. */
  const startWake = (s: State, count: number): void => {
    Object.assign(s.main, { at: "look", worker: 0, wanted: count });
  };
  const wake = (s: State): void => {
    const m = s.main;
    const { worker } = m;
    const nextParkingSlot = (): void => {
      m.worker++;
      m.at = m.worker === s.words.length || m.wanted === 0 ? "idle" : "look";
      if (m.at === "idle") Object.assign(m, { worker: 0, wanted: 0 });
    };
    switch (m.at) {
      case "look":
        if (s.words[worker] === PARKED) m.at = "swap";
        else nextParkingSlot();
        break;
      case "swap":
        if (s.words[worker] === PARKED) {
          s.words[worker] = AWAKE;
          m.at = "notify";
        } else {
          nextParkingSlot();
        }
        break;
      case "notify":
        notify(s, worker);
        m.wanted--;
        nextParkingSlot();
        break;
      case "notify retired":
        notify(s, worker);
        Object.assign(m, { at: "idle", worker: 0 });
        break;
    }
  };
  const notify = (s: State, worker: number): void => {
    const w = s.workers[worker]!;
    if (w.at === "asleep") w.at = "woken";
  };

  const main = (state: State): Step<State>[] => {
    const steps: Step<State>[] = [];
    const step = (by: string, change: (s: State) => void): void => {
      const s = copy(state);
      change(s);
      steps.push({ by: `main: ${by}`, state: s });
    };
    const { at, waiting } = state.main;
    if (at !== "idle") {
      step(`${at} ${state.main.worker}`, wake);
      return steps;
    }
    const wakesFirst = mistake === "wake before publishing";
    if (state.published < items && (!wakesFirst || waiting < 0)) {
      step("publish", (s) => {
        s.published++;
        s.main.waiting++;
      });
    }
    if (wakesFirst ? waiting === 0 && state.published < items : waiting > 0) {
      step("wake", (s) => {
        s.main.waiting = wakesFirst ? -1 : 0;
        startWake(s, wakesFirst ? 1 : waiting);
        wake(s);
      });
    }
    state.workers.forEach((worker, id) => {
      if (worker.at === "ended" && !worker.vacant) {
        // Pool.#recover in one step: nobody else touches what an ended worker held. The wake-up's steps follow.
        step(`worker ${id} has ended`, (s) => {
          const w = s.workers[id]!;
          if (!(w.retiring && mistake === "nothing recovered after a retirement")) {
            if (w.holds) s.outcomes++;
            w.holds = false;
            if (mistake !== "no wake-up after a death") startWake(s, s.workers.length);
          }
          if (w.retiring || !setting.successors) w.vacant = true;
          else Object.assign(w, { at: "start", inLoop: false });
        });
      }
      // Parking.retire, by scaleWorkers, and the timer after which a worker that does not go is ended.
      const others = state.workers.filter(({ retiring }) => !retiring).length - 1;
      const isReady = !worker.retiring && worker.at !== "ended" && worker.at !== "start";
      if (state.left.retirements > 0 && others > 0 && isReady && !worker.holds) {
        step(`retire ${id}`, (s) => {
          if (s.words[id] !== PARKED) return;
          s.words[id] = RETIRED;
          s.left.retirements--;
          s.workers[id]!.retiring = true;
          Object.assign(s.main, { at: "notify retired", worker: id });
        });
      }
      if (worker.retiring && worker.at !== "ended" && setting.lingering && id === 0) {
        step(`end ${id}, which does not go`, (s) => {
          s.workers[id]!.at = "ended";
        });
      }
    });
    return steps;
  };

  const [afterTake, afterAnnounce, afterCheck] =
    mistake === "check before announcing"
      ? (["check", "wait", "announce"] as const)
      : (["announce", "check", "wait"] as const);

  const act = (s: State, id: number): void => {
    const w = s.workers[id]!;
    switch (w.at) {
      case "start":
        s.words[id] = AWAKE;
        w.at = "take";
        break;
      case "take":
        if (s.claimed < s.published) {
          s.claimed++;
          w.holds = true;
          w.at = "serve";
        } else {
          w.at = afterTake;
        }
        break;
      case "serve":
        s.outcomes++;
        w.holds = false;
        w.at = "take";
        break;
      case "announce":
        if (s.words[id] === RETIRED && mistake !== "retirement overwritten") {
          w.at = setting.lingering && id === 0 ? "resting" : "ended";
        } else {
          s.words[id] = PARKED;
          w.at = afterAnnounce;
        }
        break;
      case "check":
        w.at = s.claimed < s.published ? "leave" : afterCheck;
        break;
      case "leave":
        if (s.words[id] === PARKED || mistake === "retirement overwritten") s.words[id] = AWAKE;
        w.at = "take";
        break;
      case "wait":
        w.at = s.words[id] === PARKED ? "asleep" : "woken";
        break;
      case "woken":
        w.inLoop = false;
        w.at = "take";
        break;
    }
  };

  const work = (state: State): Step<State>[] =>
    state.workers.flatMap(({ at, inLoop, retiring }, id) => {
      if (at === "ended") return [];
      const steps: Step<State>[] = [];
      if (at !== "asleep" && at !== "resting") {
        const s = copy(state);
        act(s, id);
        steps.push({ by: `worker ${id}: ${at}`, state: s });
      }
      // Its time is up: it is parked still, and the asynchronous wait looks at the word before it begins.
      if (at === "asleep" && !inLoop && setting.timesUp) {
        const s = copy(state);
        Object.assign(s.workers[id]!, { at: "wait", inLoop: true });
        steps.push({ by: `worker ${id} has stood still for its time`, state: s });
      }
      if (state.left.deaths > 0 && at !== "start" && !retiring) {
        const s = copy(state);
        s.left.deaths--;
        s.workers[id]!.at = "ended";
        steps.push({ by: `worker ${id} dies`, state: s });
      }
      return steps;
    });

  return {
    start: {
      published: 0,
      claimed: 0,
      words: Array(setting.workers).fill(AWAKE),
      workers: Array.from({ length: setting.workers }, () => ({
        at: "start",
        holds: false,
        inLoop: false,
        retiring: false,
        vacant: false,
      })),
      main: { at: "idle", waiting: 0, worker: 0, wanted: 0 },
      left: { deaths: setting.deaths, retirements: setting.retirements },
      outcomes: 0,
    },
    next: (state) => [...main(state), ...work(state)],
    broken: ({ outcomes }) => (outcomes > items ? "an item had two outcomes" : null),
    done: ({ outcomes, workers }) =>
      outcomes === items && workers.every(({ retiring, at }) => !retiring || at === "ended"),
  };
}

function copy(s: State): State {
  return {
    ...s,
    words: [...s.words],
    workers: s.workers.map((worker) => ({ ...worker })),
    main: { ...s.main },
    left: { ...s.left },
  };
}
