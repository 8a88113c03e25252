import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type ClaimRingMistake, type ClaimRingSetting, claimRingModel } from "./model/claim-ring.js";
import { type DoorbellMistake, type DoorbellSetting, doorbellModel } from "./model/doorbell.js";
import { type Exploration, explore } from "./model/explore.js";
import { type ParkingMistake, type ParkingSetting, parkingModel } from "./model/parking.js";
import { type RecordRingMistake, type RecordRingSetting, recordRingModel } from "./model/record-ring.js";

/** The number of states is checked too: a model that cannot move would hold anything, and docs/ring.md names it. */
function holds({ states, violation }: Exploration, expectedStates: number): void {
  assert.is(violation, null, violation === null ? "" : `${violation.what}:\n${violation.trace.join("\n")}`);
  assert.is(states, expectedStates);
}

function finds({ violation }: Exploration, expected: RegExp): void {
  assert.match(violation?.what ?? "nothing", expected);
}

const explorer = suite("explorer");

/** Two processes that add one to a shared counter, by a load and a store or at once. */
function counter(atomic: boolean) {
  const start = { shared: 0, seen: [-1, -1], ended: [false, false] };
  return {
    start,
    next: (state: typeof start) =>
      state.seen.flatMap((seen, id) => {
        if (state.ended[id]) return [];
        const next = structuredClone(state);
        if (atomic || seen !== -1) {
          next.shared = (atomic ? state.shared : seen) + 1;
          next.ended[id] = true;
        } else {
          next.seen[id] = state.shared;
        }
        return [{ by: `${id}: ${atomic || seen !== -1 ? "store" : "load"}`, state: next }];
      }),
    broken: ({ shared, ended }: typeof start) => (ended[0] && ended[1] && shared === 1 ? "an update was lost" : null),
    done: ({ ended }: typeof start) => ended[0]! && ended[1]!,
  };
}

explorer("finds the interleaving that loses an update, by its shortest trace", () => {
  assert.equal(explore(counter(false)).violation, {
    what: "an update was lost",
    trace: ["0: load", "1: load", "0: store", "1: store"],
  });
  assert.equal(explore(counter(true)), { states: 4, violation: null });
});

explorer("finds what cannot end any more", () => {
  const model = { ...counter(true), done: ({ shared }: { shared: number }) => shared === 3 };
  assert.is(explore(model).violation?.what, "stuck");
});

explorer.run();

const claimRing = suite("claim ring, every interleaving");

const ring: ClaimRingSetting = { slots: 2, consumers: 2, items: 3, deaths: 0, abandoned: 0, expired: 0, pending: 0 };

const claimRingCases: readonly (readonly [string, ClaimRingSetting, number])[] = [
  ["four items through two slots", { ...ring, items: 4 }, 46309],
  ["four slots", { ...ring, slots: 4, items: 4 }, 28482],
  ["three consumers, one of them dies", { ...ring, consumers: 3, items: 2, deaths: 1 }, 53107],
  ["two deaths", { ...ring, deaths: 2 }, 93004],
  ["a death, and promises pending", { ...ring, deaths: 1, pending: 1 }, 77665],
  ["a death, and a client that goes", { ...ring, deaths: 1, abandoned: 1 }, 86616],
  ["a request that expires", { ...ring, expired: 1 }, 131039],
  [
    "a request that expires, a death and a pending promise",
    { ...ring, items: 2, expired: 1, deaths: 1, pending: 1 },
    37063,
  ],
];
for (const [name, setting, states] of claimRingCases) {
  claimRing(`${name}: every item has one outcome, its own, and the ring is whole afterwards`, () => {
    holds(explore(claimRingModel(setting)), states);
  });
}

const claimRingMistakes: readonly (readonly [ClaimRingMistake, Partial<ClaimRingSetting>, RegExp])[] = [
  ["claim without compare-and-swap", {}, /claimed twice/],
  ["tail moved before the claim", { deaths: 1 }, /stuck/],
  ["head before state", {}, /stuck|before an older one/],
  ["state before payload", {}, /half another one|served twice/],
  ["reserve without a look", {}, /half another one|claimed twice/],
  ["no recovery", { deaths: 1 }, /stuck/],
  ["answers without a generation", { expired: 1 }, /reached another request/],
  ["generation compared instead of owner", { expired: 1 }, /half another one|served twice/],
];
for (const [mistake, setting, found] of claimRingMistakes) {
  claimRing(`the mistake "${mistake}" is found`, () => {
    finds(explore(claimRingModel({ ...ring, ...setting, mistake })), found);
  });
}

claimRing.run();

const parking = suite("parking, every interleaving");

const parkingSlots: ParkingSetting = {
  workers: 2,
  items: 2,
  deaths: 0,
  successors: true,
  retirements: 0,
  lingering: false,
  timesUp: false,
};

const parkingCases: readonly (readonly [string, ParkingSetting, number])[] = [
  ["three workers", { ...parkingSlots, workers: 3 }, 53853],
  ["two deaths, asleep or not, with successors", { ...parkingSlots, deaths: 2 }, 48290],
  ["a death without a successor", { ...parkingSlots, items: 3, deaths: 1, successors: false }, 25853],
  ["workers that have stood still for their time, and a death", { ...parkingSlots, deaths: 1, timesUp: true }, 37201],
  ["the same, and a worker that is retired", { ...parkingSlots, retirements: 1, timesUp: true }, 20969],
  ["a worker that is retired", { ...parkingSlots, retirements: 1 }, 12851],
  [
    "a worker that is retired, promises that never settle, and a death",
    { ...parkingSlots, retirements: 1, lingering: true, deaths: 1 },
    51004,
  ],
];
for (const [name, setting, states] of parkingCases) {
  parking(`${name}: no item waits for ever`, () => {
    holds(explore(parkingModel(setting)), states);
  });
}

const parkingMistakes: readonly (readonly [ParkingMistake, Partial<ParkingSetting>])[] = [
  ["check before announcing", {}],
  ["wake before publishing", {}],
  ["no wake-up after a death", { deaths: 1, successors: false }],
  ["nothing recovered after a retirement", { retirements: 1, lingering: true }],
  ["retirement overwritten", { retirements: 1 }],
];
for (const [mistake, setting] of parkingMistakes) {
  parking(`the mistake "${mistake}" is found`, () => {
    finds(explore(parkingModel({ ...parkingSlots, ...setting, mistake })), /stuck/);
  });
}

parking.run();

const doorbell = suite("doorbell, every interleaving");

const twoWorkers: DoorbellSetting = { workers: 2, answersEach: 3, deaths: 0, perTick: 2 };

const doorbellCases: readonly (readonly [string, DoorbellSetting, number])[] = [
  ["two workers", twoWorkers, 49825],
  ["two workers that may both die, one answer a tick", { ...twoWorkers, deaths: 2, perTick: 1 }, 91661],
  ["three workers of whom two may die", { workers: 3, answersEach: 1, deaths: 2, perTick: 1 }, 27137],
];
for (const [name, setting, states] of doorbellCases) {
  doorbell(`${name}: no answer stays unread`, () => {
    holds(explore(doorbellModel(setting)), states);
  });
}

const doorbellMistakes: readonly (readonly [DoorbellMistake, Partial<DoorbellSetting>])[] = [
  ["no second look", {}],
  ["press before commit", {}],
  ["no look when a worker dies", { deaths: 1 }],
  ["bound without another tick", {}],
];
for (const [mistake, setting] of doorbellMistakes) {
  doorbell(`the mistake "${mistake}" is found`, () => {
    finds(explore(doorbellModel({ ...twoWorkers, ...setting, mistake })), /stuck/);
  });
}

doorbell.run();

const recordRing = suite("record ring, every interleaving");

const records: RecordRingSetting = { capacity: 8, lengths: [1, 3, 2], records: 20, deaths: 0 };

const recordRingCases: readonly (readonly [string, RecordRingSetting, number])[] = [
  ["records of three lengths, a producer that dies twice", { ...records, deaths: 2 }, 32511],
  ["two records fill it, a producer that dies twice", { ...records, capacity: 4, lengths: [1], deaths: 2 }, 8505],
];
for (const [name, setting, states] of recordRingCases) {
  recordRing(`${name}: what is committed is read once, in order and whole`, () => {
    holds(explore(recordRingModel(setting)), states);
  });
}

const recordRingMistakes: readonly RecordRingMistake[] = [
  "head before payload",
  "no look at the tail",
  "tail before use",
  "skip not counted",
];
for (const mistake of recordRingMistakes) {
  recordRing(`the mistake "${mistake}" is found`, () => {
    finds(explore(recordRingModel({ ...records, mistake })), /not the next one, whole/);
  });
}

recordRing.run();
