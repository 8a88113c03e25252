import { suite } from "uvu";
import * as assert from "uvu/assert";
import { FailureLog } from "../../src/shared/failure-log.js";

const test = suite("failure log");

test("one line a second at most; the next one says how many there were meanwhile", () => {
  const lines: string[] = [];
  let nowMs = 0;
  const failures = new FailureLog(
    (line) => lines.push(line),
    () => nowMs,
  );
  for (; nowMs < 2500; nowMs += 100) failures.add("/a failed", "x");
  assert.equal(lines, [
    "loopool: /a failed: x",
    "loopool: /a failed: x (and 9 more failures since the last line)",
    "loopool: /a failed: x (and 9 more failures since the last line)",
  ]);
});

test("an output that cannot be written to does not throw, and does not stop the next line", () => {
  const lines: string[] = [];
  let seconds = 0;
  const failures = new FailureLog(
    (line) => {
      if (seconds === 1) throw new Error("closed");
      lines.push(line);
    },
    () => ++seconds * 1000,
  );
  failures.add("/a failed", "x");
  failures.add("/b failed", "y");
  assert.equal(lines, ["loopool: /b failed: y"]);
});

test.run();
