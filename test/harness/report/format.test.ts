import { suite } from "uvu";
import * as assert from "uvu/assert";
import { counted, estimate, listed, ratio, significant, tick, whole } from "../../../src/harness/report/format.js";
import { code, plain, table } from "../../../src/harness/report/markdown.js";

const figures = suite("figures");

figures("three significant digits, and all digits of large whole parts", () => {
  assert.equal([0, 0.07123, 0.2, 1, 12.345, 99.96, 123.4, 132_412.4].map(significant), [
    "0",
    "0.0712",
    "0.200",
    "1.00",
    "12.3",
    "100",
    "123",
    "132,412",
  ]);
  assert.is(significant(Number.NaN), "–");
  assert.is(whole(1234.5678), "1,235");
});

figures("axis figures are short", () => {
  assert.equal([0, 0.05, 30_000, 120_000, 1_500_000].map(tick), ["0", "0.05", "30k", "120k", "1.5M"]);
});

figures("an estimate without an interval stands alone", () => {
  assert.is(estimate(2, { low: 1, high: 3, level: 0.98 }, whole), "2 [1 – 3]");
  assert.is(estimate(2, null, whole), "2");
});

figures("a ratio takes as many decimals as keep a bound from being shown as 1 when it is not", () => {
  assert.equal(ratio(0.9312, { low: 0.912, high: 0.949, level: 0.95 }), { value: "0.93", interval: "[0.91, 0.95]" });
  assert.equal(ratio(0.9934, { low: 0.9889, high: 0.9979, level: 0.95 }), {
    value: "0.993",
    interval: "[0.989, 0.998]",
  });
  assert.equal(ratio(1.0001, { low: 0.99996, high: 1.0002, level: 0.95 }), {
    value: "1.00010",
    interval: "[0.99996, 1.00020]",
  });
  assert.equal(ratio(1.234, null), { value: "1.23", interval: "" });
});

figures("lists and counts read as English", () => {
  assert.equal(
    [[], ["a"], ["a", "b"], [1, 2, 3]].map((items) => listed(items)),
    ["", "a", "a and b", "1, 2 and 3"],
  );
  assert.equal([counted(1, "trial"), counted(1200, "trial")], ["1 trial", "1,200 trials"]);
});

figures.run();

const markup = suite("markdown");

markup("text from outside cannot make markup", () => {
  assert.is(plain("a|b <img src=x> *b* `c`\n# d"), "a\\|b &lt;img src=x> \\*b\\* \\`c\\` # d");
  assert.is(plain("[text](http://x) [0.91, 0.95]: slower"), "[text\\](http://x) [0.91, 0.95]: slower");
  assert.is(plain("AT&T &lt;"), "AT&amp;T &amp;lt;");
});

markup("a code span is fenced by more backticks than it holds", () => {
  assert.is(code("npm run x"), "`npm run x`");
  assert.is(code("a ``b`` c"), "``` a ``b`` c ```");
});

markup("a table is aligned, its pipes escaped once", () => {
  assert.is(
    table(
      ["name", "value"],
      [
        ["a|b", "1"],
        ["c\\|d", "1,234"],
      ],
    ),
    "| name | value |\n| ---- | ----: |\n| a\\|b |     1 |\n| c\\|d | 1,234 |",
  );
});

markup.run();
