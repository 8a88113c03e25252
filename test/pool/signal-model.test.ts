import { suite } from "uvu";
import * as assert from "uvu/assert";
import { explore } from "../shared/memory/model/explore.js";
import { type SignalMistake, signalModel } from "./model/signal.js";

const test = suite("signals of requests that are given up, every interleaving");

test("a handler that looks at its signal learns it, also in a slot that is filled again, and none learns it for nothing", () => {
  const { states, violation } = explore(signalModel());
  assert.is(violation, null, violation === null ? "" : `${violation.what}:\n${violation.trace.join("\n")}`);
  // docs/ring.md names it.
  assert.is(states, 290);
});

const mistakes: readonly SignalMistake[] = [
  "look before asking",
  "look before noting",
  "interest set back",
  "no look at the generation",
];
for (const mistake of mistakes) {
  test(`the mistake "${mistake}" is found`, () => {
    assert.match(explore(signalModel(mistake)).violation?.what ?? "nothing", /never told/);
  });
}

test.run();
