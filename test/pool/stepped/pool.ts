import type { Reply } from "../../../src/core.js";
import { EventLoop, steppedPromise } from "../../support/stepped/event-loop.js";
import { steppedGlobals } from "../../support/stepped/globals.js";
import { Modules, type Patch } from "../../support/stepped/modules.js";
import { type Search, search } from "../../support/stepped/search.js";
import { type Action, World } from "../../support/stepped/world.js";

/** The real pool with its workers, all of it but what is below: threads and their event loops, the handlers, caches and counters. */
export interface SteppedPoolSetting {
  readonly workers: number;
  readonly slots: number;
  readonly items: number;
  /** How often the first worker may be killed, at any step. */
  readonly deaths: number;
  /** Whether successors take the places of the dead; where their module fails to load, none does. */
  readonly successors: boolean;
  /** How many of the first workers may be retired when they are idle. */
  readonly retirements: number;
  /** How many of the first requests may be given up because they take too long. */
  readonly expired: number;
  /** How many of the first may be given up because their client has gone. */
  readonly abandoned: number;
  /** So many of the first items return a promise, which is settled at any time; `lingering`: never, and then they have to expire. */
  readonly promises: number;
  readonly lingering: boolean;
  /** Whether each plain access to a word of the first slot is a step too. */
  readonly plainSteps: boolean;
  readonly preemptions: number;
  /** Whether a worker that stands still may do so for its time, and then waits in its event loop. */
  readonly timesUp: boolean;
  /** Whether the last slot is held all the time, by a slow request that is none of these. */
  readonly slowSlot: boolean;
  /** How many of the last workers sleep when it begins; the others are about to look for work for the first time. */
  readonly asleep: number;
  /** Whether the first one has announced that it is about to sleep, and has not looked for work since. */
  readonly announced: boolean;
}

const MAIN = 0;
const FIRST_WORKER = 1;
/** What a worker's thread leaves as its last message. */
const EXIT = { exit: true } as const;

/** Sizes that decide nothing, small enough to be compared in every state, and what the search must get at. */
const SMALL: readonly Patch[] = [
  { file: "pool/memory.js", find: "const ANSWER_RING_BYTES = 2 ** 20;", replace: "const ANSWER_RING_BYTES = 1024;" },
  { file: "pool/pool.js", find: "const MAX_ANSWERS_PER_TICK = 512;", replace: "const MAX_ANSWERS_PER_TICK = 1;" },
  { file: "pool/pool.js", find: "class Pool {", replace: "export class Pool {" },
  { file: "pool/worker.js", find: "\nloop.run();", replace: "\nregister({ loop, answers });\nloop.run();" },
];
/** Shared memory beyond this is for what these requests do not have. */
const MAX_COMPARED_BYTES = 16 * 1024;

interface Fields {
  readonly [name: string]: unknown;
}
interface RealPool {
  submit(request: unknown, reply: Reply): void;
  abandon(reply: Reply): void;
  __collect(): void;
  __expire(slot: number): void;
  readonly __hosts: readonly (Fields & {
    readonly isReady: boolean;
    readonly answers: Fields & { readonly __ring: Fields };
    start(): { catch(use: () => void): void };
    expectRetirement(holdsNothing: () => boolean): void;
  })[];
  readonly __ring: Fields & { readonly slots: number; heldBy(worker: number): readonly number[] };
  readonly __parking: { retire(worker: number): boolean };
  readonly __wakeUps: Fields;
  readonly __replies: readonly ((Reply & { readonly item: number }) | undefined)[];
  readonly __released: Int32Array;
}

/** Nothing goes wrong but what can be added to it. */
export const plainPool: SteppedPoolSetting = {
  workers: 2,
  slots: 2,
  items: 1,
  deaths: 0,
  successors: true,
  retirements: 0,
  expired: 0,
  abandoned: 0,
  promises: 0,
  lingering: false,
  plainSteps: false,
  preemptions: 0,
  timesUp: false,
  slowSlot: false,
  asleep: 0,
  announced: false,
};

/** Longer than the texts that the codec keeps: what a thread does must follow from what it reads. Each has its own length. */
const pathOf = (item: number): string => `/${String(item).repeat(50 + item)}`;

/** Every request has exactly one outcome, its own; none is served twice; at the end all slots are free and nothing waits. */
export function steppedPool(setting: SteppedPoolSetting, patches: readonly Patch[] = []): Search {
  const { workers, slots, items } = setting;
  const world = new World();
  const loops: EventLoop[] = [];
  const loop = (): EventLoop => loops[world.running]!;
  const startups: { readonly worker: number }[] = [];
  const locals: { readonly loop: Fields; readonly answers: { readonly __ring: Fields } }[] = [];
  const memories: SharedArrayBuffer[] = [];
  let allocated = 0;
  /** Facts: by item its outcomes and how often it was served; then what is left of deaths, retirements, … */
  const LEFT = 2 * items;
  const [DEATHS, RETIREMENTS, EXPIRED, ABANDONED, SUBMITTED] = [LEFT, LEFT + 1, LEFT + 2, LEFT + 3, LEFT + 4];
  /** By worker: 1 when it was retired. */
  const RETIRED = LEFT + 5;
  world.facts = [
    ...Array(2 * items).fill(0),
    ...[setting.deaths, setting.retirements, setting.expired, setting.abandoned, 0, ...Array(workers).fill(0)],
  ];
  const outcome = (item: number, answered: string): void => {
    world.effect("outcome", () => {
      world.facts[item]! += 1;
      if (world.facts[item]! > 1) world.flaw ??= "a request had two outcomes";
      if (!answered.startsWith("5") && answered !== `200 ${item}`) {
        world.flaw ??= `request ${item} was answered with ${answered}`;
      }
    });
  };

  const handle = ({ path }: { readonly path: string }): unknown => {
    const item = Number(path[1]);
    world.effect("serve", () => {
      if (path !== pathOf(item)) world.flaw ??= `a request was served that was half another one: ${path}`;
      world.facts[items + item]! += 1;
      if (world.facts[items + item]! > 1) world.flaw ??= "a request was served twice";
    });
    const response = { status: 200, headers: { fields: [], wasSent: false }, body: String(item) };
    if (item >= setting.promises) return response;
    return new Stepped((resolve) => {
      if (!setting.lingering) loop().setTimeout(() => resolve(response), 1);
    });
  };
  const Stepped = steppedPromise(loop) as new (begin: (resolve: (value: unknown) => void) => void) => unknown;
  const dispatch = Object.assign(handle, {
    routes: { byPath: new Map(), fallback: null, userCode: null },
    close: () => {
      const then = (use: () => void): void => use();
      return { then };
    },
    unsendable: (_: string, error: unknown) =>
      world.effect("unsendable", () => {
        world.flaw ??= `an answer cannot be sent: ${error}`;
      }),
  });

  /** A thread as the main thread sees it. */
  class Thread {
    static readonly all: Thread[] = [];
    readonly #number: number;
    readonly #uses = new Map<string, ((value: unknown) => void)[]>();

    constructor(_file: URL, { workerData }: { readonly workerData: { readonly worker: number } }) {
      this.#number = 1 + workerData.worker;
      Thread.all[this.#number] = this;
      startups[this.#number] = workerData;
      world.effect("new thread", () => {
        world.start(this.#number, `worker ${workerData.worker}`, () => work(this.#number));
      });
    }

    on(event: string, use: (value: unknown) => void): void {
      this.#uses.set(event, [...(this.#uses.get(event) ?? []), use]);
    }

    once(event: string, use: (value: unknown) => void): void {
      this.on(event, use);
    }

    emit(event: string, value: unknown): void {
      for (const use of this.#uses.get(event) ?? []) use(value);
    }

    postMessage(): void {}

    terminate(): void {
      world.effect("terminate", () => end(this.#number));
    }
  }
  const end = (number: number): void => {
    if (world.statusOf(number) === "ended") return;
    world.kill(number);
    world.deliver(MAIN, number, EXIT);
  };

  const modules = new Modules({
    globals: {
      ...steppedGlobals(world, {
        plainSteps: (memory, word) => setting.plainSteps && memory === memories[0] && word >= 32 && word < 48,
        loop,
        timesUp: setting.timesUp,
      }),
      SharedArrayBuffer: Object.assign(
        function allocate(bytes: number): SharedArrayBuffer {
          const number = allocated++;
          memories[number] ??= bytes > MAX_COMPARED_BYTES ? new SharedArrayBuffer(bytes) : world.allocate(bytes);
          return memories[number];
        },
        { prototype: SharedArrayBuffer.prototype },
      ),
      Promise: Stepped,
      performance: { now: () => 0 },
      process: { exit: () => world.effect("exit", () => end(world.running)) },
      setImmediate: (use: () => void) => loop().setImmediate(use),
      setTimeout: (use: () => void, delayMs: number) =>
        setting.successors ? loop().setTimeout(use, delayMs) : { unref: () => {} },
      setInterval: (use: () => void, delayMs: number) => loop().setInterval(use, delayMs),
      clearInterval: (timer: unknown) => loop().clearInterval(timer),
      register: (local: (typeof locals)[number]) => {
        locals[world.running] = local;
      },
    },
    patches: [...SMALL, ...patches],
    replaced: {
      "node:worker_threads": {
        Worker: Thread,
        get workerData() {
          return startups[world.running];
        },
        get parentPort() {
          return {
            postMessage: (message: unknown) => world.post(MAIN, message),
            on: () => {},
            close: () => loop().end(),
          };
        },
      },
      "shared/clock.js": { threadClock: () => () => 0 },
      "shared/dispatch/discard.js": { discard: () => {}, closeFileOf: () => {} },
      "shared/dispatch/dispatch.js": {
        createDispatch: () => ({ catch: () => dispatch }),
        countUnhandledRejections: () => {},
      },
      "shared/dispatch/import-handlers.js": { endedByImport: () => new Error("its module ended it") },
      "shared/failure-log.js": {
        tellOperator: (_: unknown, line: string) => {
          world.effect("tell", () => {
            if (line.includes("failed")) world.flaw ??= line;
          });
        },
      },
      "shared/handlers/context.js": { threadContext: () => context },
      "shared/static/error-page.js": { withErrorPage: () => {} },
    },
  });
  const context = {
    shared: {
      config: {
        workers: { min: workers, max: workers },
        queue: slots,
        requestTimeoutMs: null,
        bodyMemoryBytes: 2 ** 15,
        limits: { maxBodyBytes: 1, maxHeadBytes: 1 },
        handlers: null,
        workerMemoryMiB: null,
      },
      phases: new SharedArrayBuffer(8 * 8192),
    },
    stats: { add: () => {}, set: () => {} },
    cache: { recover: () => {}, memory: null },
    loading: { recover: () => {} },
  };
  const { Pool } = modules.load<{ Pool: new (context: unknown, workerLost: unknown) => RealPool }>("pool/pool.js");
  const lost = modules.load<{ readonly WORKER_LOST: unknown }>("pool/refusals.js").WORKER_LOST;
  const worker = modules.load<{ main(): void }>("pool/worker.js");
  // The constants that tell a request without any are told by their identity.
  const handler = modules.load<{ readonly NO_FIELDS: unknown; readonly NO_BODY: unknown }>(
    "shared/handlers/handler.js",
  );

  const work = (number: number): void => {
    loops[number] = new EventLoop(world);
    worker.main();
    loop().run({ state: () => JSON.stringify([locals[number]!.loop, countersOf(locals[number]!.answers)]) });
    world.post(MAIN, EXIT);
  };

  const main = (): void => {
    loops[MAIN] = new EventLoop(world);
    allocated = 0;
    const pool = new Pool(context, lost);
    for (const host of pool.__hosts) host.start().catch(() => {});
    pool.__collect();
    const replies: (Reply & { readonly item: number })[] = [];
    const left = (fact: number, change = 0): number => {
      return world.effect("left", () => {
        world.facts[fact]! += change;
        return world.facts[fact]!;
      });
    };
    const waiting = (): (Reply & { readonly item: number })[] => pool.__replies.filter((reply) => reply !== undefined);
    const first = (count: number) => waiting().filter(({ item }) => item < count);
    const events = (): string[] => [
      ...(left(SUBMITTED) < items ? ["submit"] : []),
      ...(left(EXPIRED) > 0
        ? first(setting.expired).map(({ item }) => `expire ${item}${setting.lingering ? "" : "?"}`)
        : []),
      ...(left(ABANDONED) > 0 ? first(setting.abandoned).map(({ item }) => `abandon ${item}?`) : []),
      ...(left(RETIREMENTS) > 0
        ? readyHosts(pool)
            .filter((host) => host < setting.retirements)
            .map((host) => `retire ${host}?`)
        : []),
    ];
    loop().run({
      events,
      onEvent: (name) => {
        const [what, text] = name.split(" ");
        const number = Number.parseInt(text ?? "", 10);
        if (what === "submit") {
          const item = left(SUBMITTED, 1) - 1;
          replies[item] = replyFor(item);
          pool.submit(requestOf(item, handler.NO_FIELDS, handler.NO_BODY), replies[item]);
        } else if (what === "expire") {
          left(EXPIRED, -1);
          pool.__expire(replies[number]!.ticket);
        } else if (what === "abandon") {
          left(ABANDONED, -1);
          pool.abandon(replies[number]!);
          if (!waiting().includes(replies[number]!)) outcome(number, "503, its client has gone");
        } else {
          retire(pool, number, () => {
            left(RETIREMENTS, -1);
            left(RETIRED + number, 1);
          });
        }
      },
      onMessage: ({ from, data }) => {
        const thread = Thread.all[from]!;
        if (data === EXIT) thread.emit("exit", 1);
        else thread.emit("message", data);
      },
      // A worker that was retired and does not go is ended.
      hasInterval: (name) => setting.lingering && name === "every 1000 ms",
      state: () => stateOf(pool),
    });
  };
  const replyFor = (item: number): Reply & { readonly item: number } => {
    const send: Reply["send"] = ({ status, body }) => {
      outcome(item, `${status} ${typeof body === "string" ? body : Buffer.from(body as Uint8Array).toString()}`);
    };
    return { item, ticket: -1, send } as Reply & { readonly item: number };
  };

  world.start(MAIN, "main", main);
  // Until every worker is ready, and has not looked for work.
  while (world.statusOf(MAIN) === "ready") world.step(MAIN);
  for (let number = 1; number <= workers; number++) while (!world.hasMessage(MAIN, number)) world.step(number);
  settle(world);
  for (let number = workers; number > workers - setting.asleep; number--) {
    while (world.statusOf(number) === "ready") world.step(number);
  }

  // With nothing to claim it is the first word that it swaps.
  while (setting.announced && !world.lastOf(FIRST_WORKER).startsWith("compareExchange")) world.step(FIRST_WORKER);
  const ring = new Int32Array(memories[0]!);
  const stateWord = (slot: number): number => 32 + (slot * (ring.length - 32)) / slots;
  if (setting.slowSlot) ring[stateWord(slots - 1)] = 99;
  const usual = Array.from({ length: slots }, (_, slot) => ring[stateWord(slot)]);

  return search(world, {
    preemptions: setting.preemptions,
    beside: () => deathOf(world, DEATHS, end),
    isDone: () => {
      const isFree = usual.every((state, slot) => ring[stateWord(slot)] === state);
      const isGone = world.facts
        .slice(RETIRED)
        .every((retired, i) => retired === 0 || world.statusOf(1 + i) === "ended");
      return isGone && world.facts.slice(0, items).every((count) => count === 1) && isFree && !world.isWaited(MAIN);
    },
  });
}

function requestOf(item: number, fields: unknown, body: unknown): unknown {
  return { method: "GET", path: pathOf(item), query: "", headers: {}, fields, remoteAddress: "", stream: null, body };
}

const countersOf = ({ __ring: { __head, __tail } }: { readonly __ring: Fields }): unknown => [__head, __tail];

/** What the main thread's next steps follow from, besides shared memory. */
function stateOf(pool: RealPool): string {
  const { __head, __knownTail } = pool.__ring;
  return JSON.stringify([
    ...[__head, __knownTail, pool.__wakeUps, [...pool.__released]],
    pool.__replies.map((reply) => reply?.item ?? -1),
    pool.__hosts.map((host) => [host["__state"], host["__delayMs"], countersOf(host.answers)]),
  ]);
}

function readyHosts(pool: RealPool): number[] {
  const ready = pool.__hosts.flatMap(({ isReady }, host) => (isReady ? [host] : []));
  // One always stays.
  return ready.length > 1 ? ready : [];
}

/** As scaling.ts does, for a worker that has been idle for long enough. */
function retire(pool: RealPool, worker: number, count: () => void): void {
  const holdsNothing = (): boolean => pool.__ring.heldBy(worker).length === 0;
  if (!holdsNothing() || !pool.__parking.retire(worker)) return;
  count();
  pool.__hosts[worker]!.expectRetirement(holdsNothing);
}

/** What needs no choice on the main thread: messages and what they lead to. */
function settle(world: World): void {
  for (;;) {
    const [first] = world.actions().filter(({ by, thread }) => thread === MAIN && !/submit|\?$/.test(by));
    if (first === undefined) return;
    first.apply();
    if (world.flaw !== null) throw new Error(world.flaw);
  }
}

/** Of the first worker: they are all alike. */
function deathOf(world: World, fact: number, end: (number: number) => void): readonly Action[] {
  if (world.facts[fact] === 0 || world.statusOf(FIRST_WORKER) === "ended") return [];
  const apply = (): void => {
    world.facts[fact]! -= 1;
    end(FIRST_WORKER);
  };
  return [{ by: "worker 0 dies", thread: -1, isOptional: true, apply }];
}
