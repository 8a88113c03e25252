import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Patch } from "../../support/stepped/modules.js";
import type { Search } from "../../support/stepped/search.js";
import { steppedLoading } from "./stepped/loading.js";
import { steppedLock } from "./stepped/lock.js";

function holds({ violation, states }: Search, atLeast: number): void {
  assert.is(violation?.what ?? null, null, violation?.trace.join("\n") ?? "");
  assert.ok(states >= atLeast, `${states} states`);
}

function finds({ violation }: Search, expected: RegExp): void {
  assert.match(violation?.what ?? "nothing", expected);
}

const lock = suite("the real lock of a shard, stepped");

lock("two threads, one of which may die: never two inside", () => {
  holds(steppedLock({ threads: 2, rounds: 1, deaths: 1, timesUp: true, preemptions: 1 }), 100);
});

lock("two threads, two rounds, without limits: nobody sleeps for ever", () => {
  holds(steppedLock({ threads: 2, rounds: 2, deaths: 0, timesUp: false, preemptions: 2 }), 100);
});

lock("three threads", () => {
  holds(steppedLock({ threads: 3, rounds: 1, deaths: 0, timesUp: false, preemptions: 1 }), 50);
});

const LOCK = "shared/cache/lock.js";
const NOTIFY =
  "if (Atomics.load(this.#words, this.#base + WAITERS) > 0)\n            Atomics.notify(this.#words, this.#base + OWNER, 1);";
const SET_FREE = "Atomics.store(this.#words, this.#base + OWNER, 0);";
const lockFaults: readonly (readonly [string, readonly Patch[], RegExp])[] = [
  ["a release without a notification", [{ file: LOCK, find: NOTIFY, replace: "" }], /stuck/],
  [
    "waiters looked for before the release",
    [
      {
        file: LOCK,
        find: SET_FREE,
        replace: `const isWaited = Atomics.load(this.#words, this.#base + WAITERS) > 0;\n${SET_FREE}`,
      },
      { file: LOCK, find: NOTIFY, replace: "if (isWaited) Atomics.notify(this.#words, this.#base + OWNER, 1);" },
    ],
    /stuck/,
  ],
  [
    "a waiter that does not say so",
    [{ file: LOCK, find: "Atomics.add(words, this.#base + WAITERS, 1);", replace: "" }],
    /stuck/,
  ],
  [
    "a lock that is taken without compare-and-swap",
    [
      {
        file: LOCK,
        find: "if (Atomics.compareExchange(this.#words, this.#base + OWNER, 0, this.#me) === 0)",
        replace: "if (Atomics.store(this.#words, this.#base + OWNER, this.#me) === this.#me)",
      },
    ],
    /two threads/,
  ],
  ["a release that keeps it", [{ file: LOCK, find: SET_FREE, replace: "" }], /stuck/],
  [
    "a lock taken from whoever has it",
    [
      {
        file: LOCK,
        find: "return Atomics.compareExchange(this.#words, this.#base + OWNER, 1 + thread, this.#me) === 1 + thread;",
        replace: "Atomics.store(this.#words, this.#base + OWNER, this.#me); return true;",
      },
    ],
    /two threads/,
  ],
];
for (const [fault, patches, found] of lockFaults) {
  lock(`the fault "${fault}" is found`, () => {
    const deaths = fault.includes("whoever") ? 1 : 0;
    finds(
      steppedLock({ threads: 2, rounds: 2, deaths, timesUp: deaths > 0, preemptions: deaths > 0 ? 1 : 2 }, patches),
      found,
    );
  });
}
lock.run();

const loading = suite("the real word of who reads what, stepped");

loading("three threads want one key: one reads it, the others wait for it and no longer", () => {
  holds(steppedLoading({ threads: 3, deaths: 0 }), 100);
});

loading("the one that reads dies at any step", () => {
  holds(steppedLoading({ threads: 2, deaths: 1 }), 50);
});

const LOADING = "shared/cache/loading.js";
const END =
  "if (Atomics.compareExchange(this.#words, place, word, 0) === word)\n            Atomics.notify(this.#words, place);";
const RECOVER =
  "if (Atomics.compareExchange(this.#words, place, seen, 0) === seen)\n                Atomics.notify(this.#words, place);";
const loadingFaults: readonly (readonly [string, readonly Patch[], RegExp])[] = [
  [
    "an end without a notification",
    [{ file: LOADING, find: END, replace: "Atomics.compareExchange(this.#words, place, word, 0);" }],
    /stuck/,
  ],
  [
    "a recovery without a notification",
    [{ file: LOADING, find: RECOVER, replace: "Atomics.compareExchange(this.#words, place, seen, 0);" }],
    /stuck/,
  ],
  ["a recovery that leaves the word", [{ file: LOADING, find: RECOVER, replace: "" }], /stuck/],
  [
    "a begin without compare-and-swap",
    [
      {
        file: LOADING,
        find: "const seen = Atomics.compareExchange(this.#words, place, 0, this.#word(hash));",
        replace:
          "const seen = Atomics.load(this.#words, place);\nif (seen === 0) Atomics.store(this.#words, place, this.#word(hash));",
      },
    ],
    /two threads/,
  ],
];
for (const [fault, patches, found] of loadingFaults) {
  loading(`the fault "${fault}" is found`, () => {
    const deaths = fault.includes("recovery") ? 1 : 0;
    finds(steppedLoading({ threads: 3 - deaths, deaths }, patches), found);
  });
}
loading.run();
