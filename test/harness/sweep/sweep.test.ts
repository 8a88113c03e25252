import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { SweepPlan, SweepResult } from "../../../src/harness/sweep/result.js";
import { createResultFile } from "../../../src/harness/sweep/store.js";
import { continueSweep, type SweepState } from "../../../src/harness/sweep/sweep.js";
import { smallPlan } from "./fixture.js";

const plan: SweepPlan = { ...smallPlan, trials: 3 };
const begun: SweepResult = {
  schema: "loopool-sweep/3",
  name: "cores",
  command: "npm run sweep",
  startedAt: "2026-01-02T23:59:59.000Z",
  finishedAt: null,
  plan,
  environment: { cores: 2, iterationsPerMicro: 1 } as SweepResult["environment"],
  trials: [],
};

/** Runs what is missing, in a file of its own; what was reported when, ms from the start. */
async function continued(from: SweepResult) {
  const folder = mkdtempSync(join(tmpdir(), "loopool-sweep-"));
  try {
    const file = await createResultFile(folder, from);
    const states: (SweepState & { readonly what: string; readonly atMs: number; readonly inFile: number })[] = [];
    const startMs = performance.now();
    const add = (what: string, state: SweepState): void => {
      const inFile = (JSON.parse(readFileSync(file, "utf8")) as SweepResult).trials.length;
      states.push({ ...state, what, atMs: performance.now() - startMs, inFile });
    };
    const progress = {
      trialStarts: (_trial: unknown, state: SweepState) => add("starts", state),
      trialEnded: (_trial: unknown, state: SweepState) => add("ended", state),
    };
    const result = await continueSweep(file, from, 60_000, progress, new AbortController().signal);
    return { result, states };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const test = suite("sweep");

test("time left is by the trials that this process ran, also when others had run before", async () => {
  const { result, states: whole } = await continued({ ...begun, plan: { ...plan, trials: 1 } });
  assert.equal(
    whole.map(({ what, finished, planned, inFile }) => `${what} ${finished}/${planned}, ${inFile}`),
    ["starts 0/1, 0", "ended 1/1, 1"],
  );
  // One of three is there already.
  const resumed = await continued({ ...result, plan, finishedAt: null });
  assert.equal(resumed.result.trials.slice(0, 1), result.trials);
  assert.is(resumed.result.trials.length, 3);
  assert.ok(resumed.result.finishedAt !== null);
  for (const { states, before } of [
    { states: whole, before: 0 },
    { states: resumed.states, before: 1 },
  ]) {
    assert.is(states[0]!.remainingMs, null, "nothing has run yet");
    for (const { finished, planned, remainingMs, atMs } of states.slice(1)) {
      // The state is a moment older than the time that the test took.
      const byMean = (atMs / (finished - before)) * (planned - finished);
      assert.ok(
        remainingMs! <= byMean && remainingMs! >= 0.7 * byMean,
        `${remainingMs} ms left, by the mean ${byMean}`,
      );
    }
  }
});

test.run();
