import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  coreOf,
  externalTargetOf,
  loadsOf,
  missingTrials,
  planTrials,
  planUnder,
} from "../../../src/harness/sweep/plan.js";
import type { TrialResult } from "../../../src/harness/sweep/result.js";
import { smallPlan } from "./fixture.js";

const plan = { ...smallPlan, cores: ["a", "b", "c"], concurrencies: [10, 100, 250], trials: 8 };

const test = suite("plan of a sweep");

test("every block holds every cell once", () => {
  const planned = planTrials(plan);
  assert.is(planned.length, 8 * 3 * 3);
  for (let block = 0; block < 8; block++) {
    const cells = planned.filter((trial) => trial.block === block).map((trial) => `${trial.core}@${trial.concurrency}`);
    assert.is(new Set(cells).size, 9, `block ${block}`);
  }
});

test("the cores of one concurrency run directly after one another", () => {
  const planned = planTrials(plan);
  for (let i = 0; i < planned.length; i += 3) {
    const group = planned.slice(i, i + 3);
    assert.is(new Set(group.map(({ concurrency }) => concurrency)).size, 1);
    assert.is(new Set(group.map(({ core }) => core)).size, 3);
  }
});

test("who comes first is random, and each core does so in half of every eight blocks", () => {
  const planned = planTrials({ ...plan, cores: ["a", "b"], trials: 64 });
  for (const concurrency of plan.concurrencies) {
    const firsts = Array.from(
      { length: 64 },
      (_, block) => planned.find((trial) => trial.block === block && trial.concurrency === concurrency)!.core,
    );
    for (let group = 0; group < 64; group += 8) {
      assert.is(firsts.slice(group, group + 8).filter((core) => core === "a").length, 4);
    }
    const changes = firsts.slice(1).filter((core, block) => core !== firsts[block]).length;
    assert.ok(changes > 20 && changes < 50, `the first core changes in ${changes} of 63 blocks`);
  }
});

test("of three cores each order comes as often as its reverse", () => {
  const planned = planTrials({ ...plan, concurrencies: [10] });
  const orders = Array.from({ length: 8 }, (_, block) =>
    planned
      .filter((trial) => trial.block === block)
      .map(({ core }) => core)
      .join(""),
  );
  assert.equal(orders.toSorted(), orders.map((order) => [...order].reverse().join("")).toSorted());
});

test("the seed decides the order, and another seed another one", () => {
  assert.equal(planTrials(plan), planTrials({ ...plan }));
  assert.not.equal(planTrials(plan), planTrials({ ...plan, seed: 2 }));
});

test("a plan with more trials begins with the same ones, so that blocks can be added", () => {
  const planned = planTrials(plan);
  assert.equal(planTrials({ ...plan, trials: 12 }).slice(0, planned.length), planned);
});

test("with A/A one core is in every block a second time, next to the others, and is run as itself", () => {
  const aa = { ...plan, control: { name: "a again", of: "a" } };
  const planned = planTrials(aa);
  assert.is(planned.length, 8 * 3 * 4);
  for (let i = 0; i < planned.length; i += 4) {
    assert.equal(new Set(planned.slice(i, i + 4).map(({ core }) => core)), new Set(["a", "b", "c", "a again"]));
  }
  assert.equal(
    ["a", "b", "a again"].map((target) => coreOf(aa, target)),
    ["a", "b", "a"],
  );
});

test("open loops run in blocks of their own, after the closed ones that their rates may come from", () => {
  const openLoop = { shares: [0.5], rates: [{ concurrency: 10, requestsPerSecond: 500 }], seconds: 1 };
  const planned = planTrials({ ...plan, openLoop });
  const closed = planTrials({ ...plan, openLoop: { ...openLoop, rates: [] } });
  assert.equal(planned.slice(0, closed.length), closed);
  assert.equal(
    planned.slice(closed.length).map(({ rate, concurrency }) => [rate, concurrency]),
    new Array(8 * 3).fill([500, 10]),
  );
  const given = planTrials({ ...plan, openLoop: { ...openLoop, shares: null } });
  assert.is(given.length, 8 * 3, "rates that are given need no closed loop");
  assert.ok(given.every(({ rate }) => rate === 500));
});

test("a server that is not ours is found by its name, and by its second name", () => {
  const target = { name: "c", url: "http://127.0.0.1:1/" };
  const withTarget = { ...plan, targets: [target], control: { name: "c again", of: "c" } };
  assert.is(externalTargetOf(withTarget, "c"), target);
  assert.is(externalTargetOf(withTarget, "c again"), target);
  assert.is(externalTargetOf(withTarget, "a"), undefined);
});

test("a number of CPUs is a dimension like concurrency: every block holds every cell on each once", () => {
  const pinned = (server: string) => ({ server, generator: "7", reason: "" });
  const serverCpus = [
    { cpus: 1, pinning: pinned("0"), workers: 1 },
    { cpus: 4, pinning: pinned("0,1,2,3"), workers: 3 },
  ];
  const wide = { ...plan, serverCpus, pinning: serverCpus[0]!.pinning };
  const planned = planTrials(wide);
  assert.is(planned.length, 2 * 8 * 3 * 3);
  for (let block = 0; block < 8; block++) {
    const own = planned.filter((trial) => trial.block === block);
    assert.is(new Set(own.map(({ core, concurrency, serverCpus: cpus }) => `${core} ${concurrency} ${cpus}`)).size, 18);
  }
  assert.equal(
    loadsOf(wide).map(({ concurrency, serverCpus: cpus }) => [cpus, concurrency]),
    [1, 4].flatMap((cpus) => [10, 100, 250].map((concurrency) => [cpus, concurrency])),
  );
  const { pinning, workers } = planUnder(wide, { serverCpus: 4 });
  assert.equal([pinning.server, workers], ["0,1,2,3", 3]);
  assert.is(planUnder(plan, {}), plan, "a plan without them is as it was");
  const finished = planned
    .slice(0, 20)
    .map((trial): TrialResult => ({ ...trial, startedAt: "", run: null, server: null, failure: "x" }));
  assert.equal(missingTrials(wide, finished), planned.slice(20));
});

test("what is missing is what has no result, in the same order", () => {
  const planned = planTrials(plan);
  const finished = planned
    .slice(0, 5)
    .map((trial): TrialResult => ({ ...trial, startedAt: "", run: null, server: null, failure: "x" }));
  assert.equal(missingTrials(plan, finished), planned.slice(5));
  assert.equal(missingTrials(plan, []), planned);
});

test.run();
