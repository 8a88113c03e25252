import type { Lock } from "../../../../src/shared/cache/lock.js";
import { steppedGlobals } from "../../../support/stepped/globals.js";
import { Modules, type Patch } from "../../../support/stepped/modules.js";
import { type Search, search } from "../../../support/stepped/search.js";
import { type Action, World } from "../../../support/stepped/world.js";

export interface SteppedLockSetting {
  readonly threads: number;
  /** How often each takes the lock. */
  readonly rounds: number;
  /** How often the first thread may die, at any step; main takes the lock from it then. */
  readonly deaths: number;
  /** Whether sleeps end by themselves: without it a wake-up that is lost shows. */
  readonly timesUp: boolean;
  readonly preemptions: number;
}

type Module = typeof import("../../../../src/shared/cache/lock.js");

const OWNER = 0;
const FEW: readonly Patch[] = [
  { file: "shared/cache/lock.js", find: "const SPINS = 300;", replace: "const SPINS = 1;" },
];
/** Facts: who is inside (1 + thread), deaths that are left, then by thread its rounds. */
const INSIDE = 0;
const DEATHS = 1;
const ROUNDS = 2;

/**
 * Threads around the real Lock: never two of them are inside, and nobody sleeps for ever. One that dies between the release and its
 * notification leaves a sleeper to its limit, so deaths need sleeps that end.
 */
export function steppedLock(setting: SteppedLockSetting, patches: readonly Patch[] = []): Search {
  const { threads, rounds, deaths, timesUp } = setting;
  const world = new World();
  const modules = new Modules({
    globals: steppedGlobals(world, { plainSteps: () => true, timesUp }),
    patches: [...FEW, ...patches],
  });
  const { Lock } = modules.load<Module>("shared/cache/lock.js");
  modules.assertPatched();
  const memory = world.allocate(8);
  const words = new Int32Array(memory);
  const locks = Array.from({ length: threads }, (_, thread) => new Lock(words, OWNER, thread, true));
  world.facts = [0, deaths, ...Array(threads).fill(0)];

  const enter = (thread: number): void => {
    // A step: others may come while it is inside.
    world.access("enter", thread, true, () => {
      if (world.facts[INSIDE] !== 0) world.flaw ??= "two threads are inside";
      world.facts[INSIDE] = 1 + thread;
    });
  };
  const leave = (): void => {
    world.effect("leave", () => {
      world.facts[INSIDE] = 0;
    });
  };
  const use = (thread: number, lock: Lock): void => {
    for (;;) {
      world.mark("", () => use(thread, lock));
      if (world.effect("round", () => world.facts[ROUNDS + thread]!) === rounds) return;
      if (lock.acquire()) {
        enter(thread);
        leave();
        lock.release();
      }
      world.effect("next", () => {
        world.facts[ROUNDS + thread]! += 1;
      });
    }
  };
  locks.forEach((lock, thread) => {
    world.start(thread, `thread ${thread}`, () => use(thread, lock));
  });

  const death = (): readonly Action[] => {
    if (world.facts[DEATHS] === 0 || world.statusOf(0) === "ended") return [];
    const apply = (): void => {
      world.facts[DEATHS]! -= 1;
      world.kill(0);
      if (world.facts[INSIDE] === 1) world.facts[INSIDE] = 0;
      const main = new Lock(words, OWNER, threads, false);
      world.start(0, "main", () => {
        if (!main.takeFrom(0)) return;
        enter(threads);
        leave();
        main.release();
      });
    };
    return [{ by: "thread 0 dies", thread: -1, isOptional: true, apply }];
  };
  return search(world, {
    preemptions: setting.preemptions,
    beside: death,
    isDone: () => locks.every((_, thread) => world.statusOf(thread) === "ended") && words[OWNER] === 0,
  });
}
