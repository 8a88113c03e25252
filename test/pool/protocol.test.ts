import { suite } from "uvu";
import * as assert from "uvu/assert";
import { faults } from "./stepped/faults.js";
import { plainPool, type SteppedPoolSetting, steppedPool } from "./stepped/pool.js";

/** The real pool and its real workers, stepped. LOOPOOL_TEST_STEPS=all is the long form: one more preemption; some minutes. */
const isLong = process.env["LOOPOOL_TEST_STEPS"] === "all";

const test = suite("the pool's protocol, stepped");

const cases: readonly (readonly [string, Partial<SteppedPoolSetting>, number])[] = [
  ["two requests, one worker", { workers: 1, items: 2, preemptions: 1 }, 1000],
  ["one request, two workers that may stand still for their time", { preemptions: 1, timesUp: true, asleep: 1 }, 500],
  ["a worker that dies at any step", { workers: 1, deaths: 1 }, 100],
  ["a worker that dies, and another one", { deaths: 1, asleep: 2 }, 100],
  ["a worker that dies and has no successor", { deaths: 1, asleep: 2, successors: false }, 50],
  ["a worker that is retired", { retirements: 1, asleep: 1, announced: true }, 100],
  [
    "a worker that is retired and has a promise that is never settled",
    { items: 2, retirements: 1, promises: 1, lingering: true, expired: 1, asleep: 1 },
    20,
  ],
  [
    "a retired worker that finds a last request, and dies",
    { retirements: 1, deaths: 1, asleep: 1, announced: true },
    1000,
  ],
  ["a request that expires", { workers: 1, items: 2, expired: 1, slowSlot: true, preemptions: 1 }, 1000],
  [
    "a request that expires while its promise is pending",
    { workers: 1, items: 2, expired: 1, promises: 1, slowSlot: true },
    50,
  ],
  ["a client that goes", { workers: 1, items: 2, abandoned: 1 }, 100],
];
for (const [name, setting, atLeast] of cases) {
  test(`${name}: each request has one outcome, its own, and nothing waits for ever`, () => {
    const { preemptions = 0 } = setting;
    const { violation, states } = steppedPool({
      ...plainPool,
      ...setting,
      preemptions: isLong ? preemptions + 1 : preemptions,
    });
    assert.is(violation?.what ?? null, null, violation?.trace.join("\n") ?? "");
    assert.ok(states >= atLeast, `${states} states`);
  });
}

for (const { name, patches, setting, found } of faults) {
  test(`the fault "${name}", made in the code, is found`, () => {
    const { violation } = steppedPool({ ...plainPool, ...setting }, patches);
    assert.match(violation?.what ?? "nothing", found);
  });
}

test.run();
