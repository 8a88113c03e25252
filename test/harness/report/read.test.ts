import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { errorClasses } from "../../../src/harness/load/result/run-result.js";
import { readSweep } from "../../../src/harness/report/read.js";
import { failedRequests } from "../../../src/harness/validity/accounting.js";
import { plausibleSweep } from "./fixture.js";

const test = suite("stored sweep");

test("a result from before some classes of errors were told apart has none of them, and its books add up", async () => {
  const { trials, ...rest } = plausibleSweep({ rates: { reactor: 1000 }, plan: { trials: 1 } });
  const older = trials.map((trial) => ({
    ...trial,
    run: { ...trial.run, errors: { "connect-refused": 0, "connect-failed": 0, timeout: 3 } },
  }));
  const folder = mkdtempSync(join(tmpdir(), "loopool-test-"));
  try {
    const file = join(folder, "older.json");
    writeFileSync(file, JSON.stringify({ ...rest, trials: older }));
    for (const { run } of (await readSweep(file)).trials) {
      assert.equal(Object.keys(run!.errors).sort(), [...errorClasses].sort());
      assert.equal([failedRequests(run!), run!.errors.timeout], [3, 3]);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.run();
