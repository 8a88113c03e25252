import { suite } from "uvu";
import * as assert from "uvu/assert";
import { explore } from "../shared/memory/model/explore.js";
import { type SeqlockSetting, seqlockModel } from "./model/seqlock.js";

const test = suite("mirror's seqlock, every interleaving");

const setting: SeqlockSetting = { states: 2, death: true, unordered: false, checksum: false };

const holding: readonly (readonly [string, SeqlockSetting, number])[] = [
  ["the sequence alone, while writes become visible in their order", setting, 34882],
  ["the checksum too, in whatever order they do", { ...setting, unordered: true, checksum: true }, 132000],
  [
    "the checksum, for a reader that looks at the sequence only once",
    { ...setting, checksum: true, mistake: "no second look" },
    34882,
  ],
  [
    "the checksum, for a writer without an odd sequence",
    { ...setting, checksum: true, mistake: "no odd sequence" },
    22564,
  ],
];
for (const [name, each, states] of holding) {
  test(`${name}: no mixture is accepted, wherever the writer dies`, () => {
    const { states: visited, violation } = explore(seqlockModel(each));
    assert.is(violation, null, violation?.trace.join("\n"));
    assert.is(visited, states);
  });
}

const failing: readonly (readonly [string, SeqlockSetting])[] = [
  ["the sequence alone, in any order", { ...setting, unordered: true }],
  ["no second look", { ...setting, mistake: "no second look" }],
  ["no odd sequence", { ...setting, mistake: "no odd sequence" }],
  ["an odd sequence that is accepted", { ...setting, mistake: "odd is accepted" }],
];
for (const [name, each] of failing) {
  test(`finds the mixture: ${name}`, () => {
    assert.is(explore(seqlockModel(each)).violation?.what, "a mixture was accepted");
  });
}

test.run();
