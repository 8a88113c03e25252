import { suite } from "uvu";
import * as assert from "uvu/assert";
import { evaluateConditions, ifRangeHolds } from "../../../src/shared/static/conditions.js";
import { httpDate } from "../../../src/shared/static/http-date.js";

const test = suite("preconditions");

const date = Date.UTC(2024, 0, 1, 12);
const current = { etag: '"tag"', lastModifiedMs: date };

test("a date is no strong validator before its second has passed", () => {
  assert.is(ifRangeHolds(httpDate(date), current, date + 999), false);
  assert.is(ifRangeHolds(httpDate(date), current, date + 1000), true);
  assert.is(ifRangeHolds(httpDate(date), { ...current, lastModifiedMs: null }, date + 1000), false);
});

test("dates are not looked at where there is none to compare them with", () => {
  const undated = { ...current, lastModifiedMs: null };
  const earlier = httpDate(date - 1000);
  const later = httpDate(date + 1000);
  assert.is(evaluateConditions({ "if-unmodified-since": earlier }, current), "failed");
  assert.is(evaluateConditions({ "if-unmodified-since": earlier }, undated), "go on");
  assert.is(evaluateConditions({ "if-modified-since": later }, current), "unchanged");
  assert.is(evaluateConditions({ "if-modified-since": later }, undated), "go on");
});

test("a weak tag tells that nothing has changed, and never stands for the same bytes", () => {
  const weak = { etag: 'W/"tag"', lastModifiedMs: date };
  for (const [field, value, outcome] of [
    ["if-none-match", 'W/"tag"', "unchanged"],
    ["if-none-match", '"tag"', "unchanged"],
    ["if-none-match", '"other"', "go on"],
    ["if-match", 'W/"tag"', "failed"],
    ["if-match", '"tag"', "failed"],
    ["if-match", "*", "go on"],
  ] as const) {
    assert.is(evaluateConditions({ [field]: value }, weak), outcome, `${field}: ${value}`);
  }
  for (const ifRange of ['W/"tag"', '"tag"', ""]) assert.is(ifRangeHolds(ifRange, weak), false, ifRange);
  assert.is(ifRangeHolds("", { etag: "", lastModifiedMs: null }), false, "no tag is not an empty one");
  assert.is(ifRangeHolds(httpDate(date), weak, date + 1000), true, "its date is what is left to resume by");
});

test("a list of tags is read in time that grows with its length alone", () => {
  // Of a million each: what grew with the square would not end within the runner's limit.
  const lists = ['"a" ', ", ", "W/", '"', " "].map((part) => part.repeat(1_000_000));
  for (const list of [...lists, `${'"a",'.repeat(1_000_000)}x`]) {
    assert.is(evaluateConditions({ "if-none-match": list }, current), "go on", list.slice(0, 10));
  }
  assert.is(evaluateConditions({ "if-none-match": `${'"a",'.repeat(1_000_000)}"tag"` }, current), "unchanged");
});

test.run();
