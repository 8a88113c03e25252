import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type ClaimRingSetting, claimRingModel } from "./model/claim-ring.js";
import { type Exploration, explore } from "./model/explore.js";
import { doorbellModel, parkingModel } from "./model/wake-ups.js";

function holds({ states, violation }: Exploration, atLeast: number): void {
  assert.is(violation, null);
  // A model that cannot move would hold anything.
  assert.ok(states >= atLeast, `${states} states`);
}

const test = suite("protocols, every interleaving");

const ring: ClaimRingSetting = { slots: 2, consumers: 2, items: 3, deaths: 0 };

for (const setting of [
  ring,
  { ...ring, deaths: 1 },
  { ...ring, items: 4 },
  { slots: 4, consumers: 2, items: 3, deaths: 1 },
  { slots: 2, consumers: 3, items: 2, deaths: 2 },
]) {
  const { slots, consumers, items, deaths } = setting;
  test(`claim ring of ${slots} slots, ${consumers} consumers of whom ${deaths} may die, ${items} items: none lost, none twice, none stuck`, () => {
    holds(explore(claimRingModel(setting)), 1000);
  });
}

for (const [mistake, found] of [
  ["claim without compare-and-swap", /delivered twice/],
  ["head before state", /stuck/],
  ["reserve without a look", /stuck|delivered twice/],
] as const) {
  test(`the explorer finds the mistake "${mistake}" in the claim ring`, () => {
    assert.match(explore(claimRingModel({ ...ring, mistake })).violation ?? "nothing", found);
  });
}

test('the explorer finds the mistake "no recovery" in the claim ring', () => {
  assert.match(explore(claimRingModel({ ...ring, deaths: 1, mistake: "no recovery" })).violation ?? "nothing", /stuck/);
});

test("parking: no wake-up is lost, with one worker and with three", () => {
  holds(explore(parkingModel(1, 4)), 50);
  holds(explore(parkingModel(3, 3)), 1000);
});

test("the explorer finds a worker that looks before it announces itself", () => {
  assert.match(explore(parkingModel(1, 2, "check before announcing")).violation ?? "nothing", /stuck/);
});

test("doorbell: no answer stays unseen, whoever dies", () => {
  holds(explore(doorbellModel(2, 3, 0)), 300);
  holds(explore(doorbellModel(3, 2, 2)), 1000);
});

test("the explorer finds a main thread that arms without a second look, and one that does not look when a worker dies", () => {
  assert.match(explore(doorbellModel(2, 2, 0, "no second look")).violation ?? "nothing", /stuck/);
  assert.match(explore(doorbellModel(2, 2, 1, "no look when a worker dies")).violation ?? "nothing", /stuck/);
});

test.run();
