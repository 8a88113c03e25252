import { EventLoop, steppedPromise } from "../../../support/stepped/event-loop.js";
import { steppedGlobals } from "../../../support/stepped/globals.js";
import { Modules, type Patch } from "../../../support/stepped/modules.js";
import { type Search, search } from "../../../support/stepped/search.js";
import { type Action, World } from "../../../support/stepped/world.js";

export interface SteppedLoadingSetting {
  readonly threads: number;
  /**
   * How often the first thread may die, at any step at which it has the word: main recovers it then. Between taking the word back and the
   * notification it leaves those who wait to their limit, and they have none here.
   */
  readonly deaths: number;
}

type Module = typeof import("../../../../src/shared/cache/loading.js");

const FEW: readonly Patch[] = [
  { file: "shared/cache/loading.js", find: "const PLACES = 1024;", replace: "const PLACES = 2;" },
];
const KEY = "/a";
/** Facts: threads that read the key now, deaths that are left. */
const READING = 0;
const DEATHS = 1;

/** Threads that all want one key: one reads it at a time, and whoever waits goes on when that one is done or dead, without a limit. */
export function steppedLoading({ threads, deaths }: SteppedLoadingSetting, patches: readonly Patch[] = []): Search {
  const world = new World();
  const loops: EventLoop[] = [];
  const loop = (): EventLoop => loops[world.running]!;
  const Stepped = steppedPromise(loop) as new (begin: (resolve: (value: unknown) => void) => void) => unknown;
  const modules = new Modules({
    globals: {
      ...steppedGlobals(world, { plainSteps: () => true, loop, timesUp: false }),
      Promise: { resolve: () => new Stepped((resolve) => resolve(null)) },
    },
    patches: [...FEW, ...patches],
  });
  const { Loading, LOADING_BYTES } = modules.load<Module>("shared/cache/loading.js");
  modules.assertPatched();
  const memory = world.allocate(LOADING_BYTES);
  const words = new Int32Array(memory);
  world.facts = [0, deaths];

  const want = (thread: number): void => {
    const view = new Loading(memory, thread);
    loops[thread] = new EventLoop(world);
    const read = (): void => {
      const wait = view.begin(KEY);
      if (wait === undefined) {
        world.effect("begin", () => {
          world.facts[READING]! += 1;
          if (world.facts[READING]! > 1) world.flaw ??= "two threads read it at once";
        });
        loop().setImmediate(() => {
          world.effect("end", () => {
            world.facts[READING]! -= 1;
          });
          view.end(KEY);
          loop().end();
        });
      } else {
        void wait.then(read);
      }
    };
    read();
    loop().run({ onMessage: ({ from }) => view.recover(from) });
  };
  for (let thread = 0; thread < threads; thread++) world.start(thread, `thread ${thread}`, () => want(thread));

  const death = (): readonly Action[] => {
    if (world.facts[DEATHS] === 0 || world.statusOf(0) === "ended" || !words.some((word) => (word & 2047) === 1)) {
      return [];
    }
    const apply = (): void => {
      world.facts[DEATHS]! -= 1;
      // It is not known whether it read: with a death only the order is checked, not that one reads at a time.
      world.facts[READING] = Number.NEGATIVE_INFINITY;
      world.kill(0);
      const last = threads;
      const view = new Loading(memory, last);
      world.start(last, "main", () => view.recover(0));
    };
    return [{ by: "thread 0 dies", thread: -1, isOptional: true, apply }];
  };
  return search(world, {
    beside: death,
    isDone: () =>
      Array.from({ length: threads }, (_, thread) => world.statusOf(thread) === "ended").every(Boolean) &&
      words.every((word) => word === 0),
  });
}
