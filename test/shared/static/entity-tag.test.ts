import { suite } from "uvu";
import * as assert from "uvu/assert";
import { strongTag, weakTag } from "../../../src/shared/static/entity-tag.js";

const test = suite("entity tags of files");

/** RFC 9110 §8.8.3. */
const TAG = /^(W\/)?"[!#-~]+"$/;

test("a weak tag changes with length, time and coding, by less than a millisecond if need be", () => {
  const tags = [
    weakTag(10, 1000.25, null),
    weakTag(11, 1000.25, null),
    weakTag(10, 1000.251, null),
    weakTag(10, 2000.25, null),
    weakTag(10, 1000.25, "br"),
    weakTag(10, 1000.25, "gzip"),
  ];
  assert.is(new Set(tags).size, tags.length, tags.join(" "));
  for (const tag of tags) assert.is(TAG.exec(tag)?.[1], "W/", tag);
});

test("a strong tag changes with content and coding", () => {
  const tags = [strongTag("hash", null), strongTag("other", null), strongTag("hash", "br"), strongTag("hash", "gzip")];
  assert.is(new Set(tags).size, tags.length, tags.join(" "));
  for (const tag of tags) {
    assert.match(tag, TAG);
    assert.not.ok(tag.startsWith("W/"), tag);
  }
});

test.run();
