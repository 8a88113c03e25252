import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { heldOut, noises } from "../../../bench/noises.js";
import { operating, procedures } from "../../../bench/procedures.js";
import {
  draws,
  noiseIn,
  type SimulatedSweep,
  simulatedChange,
  simulatedFloors,
  simulatedSweep,
  simulatedUntil,
} from "../../../bench/simulated-sweeps.js";
import { planOf } from "../../../src/cli/sweep-plan.js";
import { readSweep } from "../../../src/harness/report/read.js";
import { median } from "../../../src/harness/statistics/median.js";
import { seededRandom } from "../../../src/harness/statistics/random.js";

/** Sweeps of two cores at the four concurrencies of a stored sweep, with its noise: `npm run bench -- power` shows more of the same. */
const stored = fileURLToPath(new URL("../../../../bench/results/2026-11-21-cores-quiet.json", import.meta.url));
const levels = noiseIn(await readSweep(stored));
const defaultTrials = planOf({}).trials;
/** So many that chance moves a share of 5% by 1.5 in a hundred; bench/power.ts takes 4,000. */
const SWEEPS = Number(process.env["LOOPOOL_TEST_SWEEPS"] ?? 200);
const SEED = 2026;

const simulated = (kind: keyof typeof draws, ratio: number, seed: number): SimulatedSweep => ({
  levels,
  draw: draws[kind],
  random: seededRandom(seed),
  trials: defaultTrials,
  ratio,
});

/** How many of `sweeps` sweeps call any difference. */
function alarms(sweeps: number, simulate: () => readonly boolean[]): number {
  return Array.from({ length: sweeps }, simulate).filter((called) => called.includes(true)).length;
}

const power = suite("false alarms and power");

for (const kind of ["resampled", "normal"] as const) {
  power(`of A/A sweeps with ${kind} noise 1% to 10% call a difference`, () => {
    const sweep = simulated(kind, 1, 2026);
    const called = alarms(SWEEPS, () => simulatedSweep(sweep));
    assert.ok(called >= 0.01 * SWEEPS && called <= 0.1 * SWEEPS, `${called} of ${SWEEPS}`);
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
  assert.ok(alarms(SWEEPS, () => simulatedSweep(noise, true)) <= 0.1 * SWEEPS);
  const sweep = simulated("normal", 0.95, 3);
  const found = Array.from({ length: SWEEPS }, () => simulatedSweep(sweep, true)).flat();
  assert.ok(found.filter((called) => called).length >= 0.8 * found.length);
});

power("adding blocks until the intervals are narrow makes no false alarms", () => {
  const sweep = simulated("normal", 1, 11);
  const sizes: number[] = [];
  const called = alarms(50, () => {
    const found = simulatedUntil(sweep, 0.03, 40);
    sizes.push(found.trials);
    return found.called;
  });
  assert.ok(called <= 7, `${called} of 50`);
  assert.ok(sizes.some((trials) => trials > defaultTrials) && sizes.every((trials) => trials <= 40));
});

power("two sweeps of the same code, one of which had a faster hour, differ in 6% at most", () => {
  for (const sessionEffect of [0.01, 0.05]) {
    const random = seededRandom(5);
    const change = { noise: noises["clean"]!, random, blocks: 16, sessionEffect, uneven: 0, ratio: 1 };
    const called = alarms(SWEEPS, () => simulatedChange(change).called);
    assert.ok(called <= 0.06 * SWEEPS, `${called} of ${SWEEPS} at ${sessionEffect}`);
  }
});

power("one trial in ten that is disturbed hides no difference of 30% from eight blocks", () => {
  const found = operating(procedures.sweep, {
    noise: noises["10% disturbed"]!,
    blocks: 8,
    ratios: [1.3],
    repetitions: SWEEPS,
    random: seededRandom(SEED),
  });
  assert.ok(found.found[0]!.alone >= 0.84, `${found.found[0]!.alone}`);
  assert.ok(found.halfWidth! < 0.12, `${found.halfWidth}`);
});

for (const [name, noise] of Object.entries({ ...noises, ...heldOut })) {
  power(`intervals hold the ratio as often as they say, and equal cores are rarely told apart: ${name}`, () => {
    for (const blocks of [6, 16]) {
      const random = seededRandom(SEED);
      const { coverage, falseCalls, familyFalseCalls } = operating(procedures.sweep, {
        noise,
        blocks,
        ratios: [],
        repetitions: SWEEPS,
        random,
      });
      // Of 500 chance moves a share of 5% by one, of 125 families by two.
      assert.ok(coverage >= 0.92 && coverage <= 0.99, `${blocks} blocks: ${coverage}`);
      assert.ok(falseCalls <= 0.08, `${blocks} blocks: ${falseCalls}`);
      assert.ok(familyFalseCalls <= 0.12, `${blocks} blocks, four comparisons: ${familyFalseCalls}`);
    }
  });
}

power("the noise floor of a machine with disturbed trials is that of a clean one, nearly", () => {
  const floors = (name: string): number =>
    median(Array.from({ length: 200 }, (_, seed) => simulatedFloors(noises[name]!, seededRandom(seed), 16).robust));
  assert.ok(floors("5% disturbed") < 1.05, `${floors("5% disturbed")}`);
  assert.ok(floors("clean") > 1.03, `${floors("clean")}`);
});

power.run();
