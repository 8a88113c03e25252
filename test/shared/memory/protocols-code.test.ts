import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Patch } from "../../support/stepped/modules.js";
import type { Search } from "../../support/stepped/search.js";
import { type SteppedClaimRingSetting, steppedClaimRing } from "./stepped/claim-ring.js";
import { type SteppedRecordRingSetting, steppedRecordRing } from "./stepped/record-ring.js";

/** The real classes, stepped. LOOPOOL_TEST_STEPS=all is the long form: more items, more deaths; some minutes. */
const isLong = process.env["LOOPOOL_TEST_STEPS"] === "all";

/** The number of states is a bound from below: threads that cannot move would hold anything. */
function holds({ violation, states }: Search, atLeast: number): void {
  assert.is(violation?.what ?? null, null, violation?.trace.join("\n") ?? "");
  assert.ok(states >= atLeast, `${states} states`);
}

function finds({ violation }: Search, expected: RegExp): void {
  assert.match(violation?.what ?? "nothing", expected);
}

const claimRing = suite("the real claim ring, stepped");
const ring: SteppedClaimRingSetting = { slots: 2, consumers: 2, items: 2, deaths: 0, abandoned: 0, expired: 0 };

const claimRingCases: readonly (readonly [string, SteppedClaimRingSetting, number])[] = [
  ["two items through two slots", ring, 10_000],
  ["a death", { ...ring, items: 1, deaths: 1 }, 5000],
  ["a client that goes, and a request that expires", { ...ring, items: 1, abandoned: 1, expired: 1 }, 200],
  ["three items, one preemption", { ...ring, items: 3, preemptions: 1 }, 1000],
  ...(isLong
    ? ([
        ["three items", { ...ring, items: 3 }, 300_000],
        ["two items and a death", { ...ring, deaths: 1 }, 100_000],
        ["two items, one of which expires", { ...ring, expired: 1 }, 100_000],
        ["four items and two deaths, one preemption", { ...ring, items: 4, deaths: 2, preemptions: 1 }, 700_000],
      ] as const)
    : []),
];
for (const [name, setting, atLeast] of claimRingCases) {
  claimRing(`${name}: every item has one outcome, its own, and the ring is whole afterwards`, () => {
    holds(steppedClaimRing(setting), atLeast);
  });
}

const ringFile = "shared/memory/claim-ring.js";
const FILLED = "Atomics.store(this.words, this.#stateWord(slot), FILLED);";
const HEAD = "Atomics.store(this.words, HEAD_WORD, this.#head);";
const CLAIM = "Atomics.compareExchange(words, this.#stateWord(slot), FILLED, OWNED + owner) === FILLED;";
const ADVANCE = "Atomics.compareExchange(words, TAIL_WORD, tail, (tail + 1) | 0);";
const claimRingFaults: readonly (readonly [string, readonly Patch[], Partial<SteppedClaimRingSetting>, RegExp])[] = [
  [
    "claim without compare-and-swap",
    [
      {
        file: ringFile,
        find: CLAIM,
        replace:
          "Atomics.load(words, this.#stateWord(slot)) === FILLED;\nif (claimed) Atomics.store(words, this.#stateWord(slot), OWNED + owner);",
      },
    ],
    {},
    /two outcomes|served twice|stuck/,
  ],
  [
    "tail moved before the claim",
    [
      { file: ringFile, find: ADVANCE, replace: "" },
      {
        file: ringFile,
        find: `const claimed = ${CLAIM}`,
        replace: `if (Atomics.compareExchange(words, TAIL_WORD, tail, (tail + 1) | 0) !== tail) continue;\nconst claimed = ${CLAIM}`,
      },
    ],
    { deaths: 1 },
    /stuck/,
  ],
  [
    "head before state",
    [
      { file: ringFile, find: FILLED, replace: "" },
      { file: ringFile, find: HEAD, replace: `${HEAD}\n${FILLED}` },
    ],
    {},
    /stuck/,
  ],
  [
    "reserve without a look",
    [{ file: ringFile, find: "if (Atomics.load(this.words, this.#stateWord(slot)) === FREE) {", replace: "{" }],
    { items: 3, preemptions: 2 },
    /two outcomes|served twice|stuck|another request/,
  ],
  ["the tail that nobody moves", [{ file: ringFile, find: ADVANCE, replace: "" }], {}, /does not come to an end/],
  [
    "a revoked item without compare-and-swap",
    [
      {
        file: ringFile,
        find: "return Atomics.compareExchange(this.words, this.#stateWord(slot), FILLED, FREE) === FILLED;",
        replace: "return Atomics.exchange(this.words, this.#stateWord(slot), FREE) === FILLED;",
      },
    ],
    { abandoned: 1 },
    /stuck|two outcomes|another request/,
  ],
  [
    "a generation that nothing counts",
    [
      { file: ringFile, find: "Atomics.add(this.words, this.#stateWord(slot) + GENERATION_WORD, 1);", replace: "" },
      { file: ringFile, find: "this.words[this.#stateWord(slot) + GENERATION_WORD] += 1;", replace: "" },
    ],
    { items: 3, expired: 1, preemptions: 2 },
    /another request/,
  ],
];
for (const [fault, patches, setting, found] of claimRingFaults) {
  claimRing(`the fault "${fault}" is found`, () => {
    finds(steppedClaimRing({ ...ring, ...setting }, patches), found);
  });
}
claimRing.run();

const recordRing = suite("the real record ring, stepped");
const records: SteppedRecordRingSetting = { lengths: [200, 440, 300], records: isLong ? 12 : 6, deaths: 0 };

const recordRingCases: readonly (readonly [string, SteppedRecordRingSetting, number])[] = [
  ["records of three lengths, a producer that dies", { ...records, deaths: isLong ? 2 : 1 }, 10_000],
  ["two records fill it, a producer that dies", { ...records, lengths: [504], deaths: 1 }, 3000],
];
for (const [name, setting, atLeast] of recordRingCases) {
  recordRing(`${name}: what is committed is read once, in order and whole`, () => {
    holds(steppedRecordRing(setting), atLeast);
  });
}

const recordFile = "shared/memory/record-ring.js";
const recordRingFaults: readonly (readonly [string, readonly Patch[]])[] = [
  [
    "head before payload",
    [
      {
        file: recordFile,
        find: "this.#pendingBytes = neededBytes;",
        replace:
          "this.#pendingBytes = neededBytes; Atomics.store(this.words, HEAD_WORD, (this.#head + neededBytes) | 0);",
      },
    ],
  ],
  [
    "no look at the tail",
    [
      {
        file: recordFile,
        find: "if (this.#usedBytes() + neededBytes > this.capacityBytes)\n                return -1;",
        replace: "",
      },
    ],
  ],
  [
    "tail before use",
    [
      {
        file: recordFile,
        find: "this.#pendingBytes = skippedBytes + LENGTH_BYTES + ((payloadBytes + 7) & ~7);",
        replace:
          "this.#pendingBytes = skippedBytes + LENGTH_BYTES + ((payloadBytes + 7) & ~7);\nAtomics.store(this.words, TAIL_WORD, (this.#tail + this.#pendingBytes) | 0);",
      },
    ],
  ],
  [
    "skip not counted",
    [
      {
        file: recordFile,
        find: "const neededBytes = skipBytes + recordBytes;",
        replace: "const neededBytes = recordBytes;",
      },
    ],
  ],
];
for (const [fault, patches] of recordRingFaults) {
  recordRing(`the fault "${fault}" is found`, () => {
    finds(steppedRecordRing(records, patches), /not the next one, whole/);
  });
}
recordRing.run();
