import { suite } from "uvu";
import * as assert from "uvu/assert";
import { httpDate, parseHttpDate } from "../../../src/shared/static/http-date.js";

const test = suite("HTTP dates");

const now = Date.UTC(2026, 0, 1);
const of = (...parts: Parameters<typeof Date.UTC>): number => Date.UTC(...parts);

test("the three forms of RFC 9110 are read, as UTC", () => {
  const time = of(1994, 10, 6, 8, 49, 37);
  for (const text of [
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "Sunday, 06-Nov-94 08:49:37 GMT",
    "Sun Nov  6 08:49:37 1994",
    httpDate(time),
  ]) {
    assert.is(parseHttpDate(text, now), time, text);
  }
  assert.is(parseHttpDate("Thu Feb 29 23:59:59 2024", now), of(2024, 1, 29, 23, 59, 59));
  assert.is(parseHttpDate("Sat, 31 Dec 2016 23:59:60 GMT", now), of(2017, 0, 1), "a leap second");
});

test("two digits of a year are those of a year that is 50 years ahead at most", () => {
  const year = (twoDigits: string) =>
    new Date(parseHttpDate(`Sunday, 06-Nov-${twoDigits} 08:49:37 GMT`, now)!).getUTCFullYear();
  assert.equal([year("94"), year("26"), year("76"), year("77"), year("00")], [1994, 2026, 2076, 1977, 2000]);
});

test("what is no HTTP-date is none, even where Date.parse would find one in it", () => {
  for (const text of [
    "",
    "0",
    "2020",
    "2020-01-01",
    "2020-01-01T00:00:00Z",
    "06 Nov 1994 08:49:37 GMT",
    "Sun, 6 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37",
    "Sun, 06 Nov 1994 08:49:37 UTC",
    "Sun, 06 Nov 1994 08:49:37 +0000",
    "sun, 06 nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 24:00:00 GMT",
    "Sun, 06 Nov 1994 08:60:00 GMT",
    "Sun, 30 Feb 2020 08:49:37 GMT",
    "Sun, 00 Nov 1994 08:49:37 GMT",
    "Sun, 32 Jan 2020 08:49:37 GMT",
    "Sunday, 06-Nov-1994 08:49:37 GMT",
    "Sun Nov 6 08:49:37 1994",
    " Sun, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
  ]) {
    assert.is(parseHttpDate(text, now), undefined, text);
  }
});

test.run();
