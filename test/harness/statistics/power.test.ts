import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  draws,
  noiseIn,
  type SimulatedSweep,
  simulatedChange,
  simulatedSweep,
  simulatedUntil,
} from "../../../bench/simulated-sweeps.js";
import { planOf } from "../../../src/cli/sweep-plan.js";
import { readSweep } from "../../../src/harness/report/read.js";
import { seededRandom } from "../../../src/harness/statistics/random.js";

/** Sweeps of two cores at the four concurrencies of a stored sweep, with its noise: `npm run bench -- power` shows more of the same. */
const stored = fileURLToPath(new URL("../../../../bench/results/2026-11-21-cores-quiet.json", import.meta.url));
const levels = noiseIn(await readSweep(stored));
const defaultTrials = planOf({}).trials;
/** So many that chance moves a share by little more than one in a hundred. */
const SWEEPS = 1000;

const simulated = (kind: keyof typeof draws, ratio: number, seed: number): SimulatedSweep => ({
  levels,
  draw: draws[kind],
  random: seededRandom(seed),
  trials: defaultTrials,
  ratio,
  resamples: 499,
});

/** How many of `sweeps` sweeps call any difference. */
function alarms(sweeps: number, simulate: () => readonly boolean[]): number {
  return Array.from({ length: sweeps }, simulate).filter((called) => called.includes(true)).length;
}

const power = suite("false alarms and power");

for (const kind of ["resampled", "normal"] as const) {
  power(`of 1,000 A/A sweeps with ${kind} noise 2% to 8% call a difference`, () => {
    const sweep = simulated(kind, 1, 2026);
    const called = alarms(SWEEPS, () => simulatedSweep(sweep));
    assert.ok(called >= 0.02 * SWEEPS && called <= 0.08 * SWEEPS, `${called} of ${SWEEPS}`);
  });

  power(
    `a true 5% is found in at least 80% of sweeps at every concurrency, with ${kind} noise and as many trials as by default`,
    () => {
      const sweep = simulated(kind, 0.95, 2026);
      const results = Array.from({ length: SWEEPS }, () => simulatedSweep(sweep));
      for (const [index, { concurrency }] of levels.entries()) {
        const found = results.filter((called) => called[index]).length;
        assert.ok(found >= 0.8 * SWEEPS, `c=${concurrency}: ${found} of ${SWEEPS}`);
      }
    },
  );
}

power("above the noise floor of an A/A run of its own a sweep calls fewer false ones, and still finds 5%", () => {
  const noise = simulated("normal", 1, 3);
  assert.ok(alarms(SWEEPS, () => simulatedSweep(noise, true)) <= 0.08 * SWEEPS);
  const sweep = simulated("normal", 0.95, 3);
  const found = Array.from({ length: SWEEPS }, () => simulatedSweep(sweep, true)).flat();
  assert.ok(found.filter((called) => called).length >= 0.8 * found.length);
});

power("adding blocks until the intervals are narrow makes no false alarms", () => {
  const sweep = simulated("normal", 1, 11);
  const sizes: number[] = [];
  const called = alarms(100, () => {
    const found = simulatedUntil(sweep, 0.03, 40);
    sizes.push(found.trials);
    return found.called;
  });
  assert.ok(called <= 10, `${called} of 100`);
  assert.ok(sizes.some((trials) => trials > defaultTrials) && sizes.every((trials) => trials <= 40));
});

power("two sweeps of the same code, one after the other, are told apart as rarely", () => {
  const sweep = simulated("normal", 1, 5);
  const called = alarms(SWEEPS, () => simulatedChange(sweep));
  assert.ok(called <= 0.08 * SWEEPS, `${called} of ${SWEEPS}`);
});

power.run();
