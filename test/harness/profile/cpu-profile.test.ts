import { suite } from "uvu";
import * as assert from "uvu/assert";
import { topSelfTimes } from "../../../src/harness/profile/cpu-profile.js";

const node = (id: number, functionName: string, url = "", lineNumber = -1) => ({
  id,
  callFrame: { functionName, url, lineNumber },
});

const test = suite("CPU profile");

test("adds the time of each sample to the function it was taken in, largest first", () => {
  const profile = {
    nodes: [
      node(1, "(idle)"),
      node(2, "claim", "file:///a/b/memory/ring.js", 9),
      node(3, "claim", "file:///a/b/memory/ring.js", 9),
    ],
    samples: [1, 2, 3, 2, 1],
    timeDeltas: [10, 30, 20, 30, 10],
  };
  assert.equal(topSelfTimes(profile, 5), [
    { what: "claim b/memory/ring.js:10", share: 0.8 },
    { what: "(idle)", share: 0.2 },
  ]);
  assert.is(topSelfTimes(profile, 1).length, 1);
});

test("an empty profile has no functions and no NaN", () => {
  assert.equal(topSelfTimes({ nodes: [], samples: [], timeDeltas: [] }, 5), []);
});

test.run();
