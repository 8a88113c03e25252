import { suite } from "uvu";
import * as assert from "uvu/assert";
import { instantsOf, timetableOf } from "../../../../src/harness/load/schedule/timetable.js";
import { seededRandom } from "../../../../src/harness/statistics/random.js";

const test = suite("timetable of an open loop");

const endless = Number.POSITIVE_INFINITY;

function exponential(meanMs: number): () => number {
  const random = seededRandom(11);
  return () => -Math.log(1 - random()) * meanMs;
}

function all(options: Parameters<typeof instantsOf>[0], rate: number, threads = 1): readonly number[] {
  const { requests } = timetableOf(options, rate);
  return Array.from({ length: threads }, (_, thread) => {
    const next = instantsOf(options, rate, thread, threads);
    return Array.from({ length: Math.ceil((requests - thread) / threads) }, next);
  })
    .flat()
    .sort((a, b) => a - b);
}

test("even instants are a period apart, whoever sends them", () => {
  const options = { requests: endless, durationMs: 505, arrivals: "even" } as const;
  assert.equal(timetableOf(options, 200), { requests: 101, lengthMs: 505 });
  for (const threads of [1, 3]) {
    const instants = all(options, 200, threads);
    assert.equal(
      instants,
      Array.from({ length: 101 }, (_, k) => k * 5),
    );
  }
});

for (const threads of [1, 4]) {
  test(`random instants: the number is exact, all lie in the time, and they are what a seed gives (threads: ${threads})`, () => {
    const options = { requests: endless, durationMs: 10_000, arrivals: "poisson", seed: 5 } as const;
    const instants = all(options, 1000, threads);
    assert.is(instants.length, 10_000);
    assert.ok(instants[0]! >= 0 && instants.at(-1)! < 10_000);
    assert.equal(all(options, 1000, threads), instants);
    assert.not.equal(all({ ...options, seed: 6 }, 1000, threads), instants);
  });
}

test("random instants are as far apart as those of a Poisson process, and their counts vary as its counts do", () => {
  const instants = all({ requests: 200_000, arrivals: "poisson", seed: 1 }, 1000, 3);
  const gaps = instants.slice(1).map((instant, index) => instant - instants[index]!);
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
  // Exponential: its deviation is its mean, and e⁻² of all gaps are longer than two means. Five standard errors.
  assert.ok(Math.abs(mean - 1) < 0.02, `mean gap ${mean} ms`);
  assert.ok(Math.abs(variance - 1) < 5 * Math.sqrt(8 / 200_000), `variance ${variance}`);
  const long = gaps.filter((gap) => gap > 2).length / gaps.length;
  assert.ok(Math.abs(long - Math.exp(-2)) < 5 * Math.sqrt((0.135 * 0.865) / 200_000), `${long} of the gaps are long`);
  // Kolmogorov and Smirnov: uniform over the time. 1.95 is the bound at p = 0.001.
  let worst = 0;
  for (const [index, instant] of instants.entries())
    worst = Math.max(worst, Math.abs(instant - (index + 0.5)) / 200_000);
  assert.ok(worst * Math.sqrt(200_000) < 1.95, `D = ${worst}`);
  const perTen = new Array<number>(20_000).fill(0);
  for (const instant of instants) perTen[Math.floor(instant / 10)]!++;
  const dispersion = perTen.reduce((sum, count) => sum + (count - 10) ** 2, 0) / perTen.length / 10;
  assert.ok(Math.abs(dispersion - 1) < 5 * Math.sqrt(2 / 20_000), `variance of the counts ÷ their mean: ${dispersion}`);
});

for (const { model, load, services, waits } of [
  { model: "M/D/1", load: 0.8, services: () => () => 0.8, waits: (0.8 * 0.8) / (2 * 0.2) },
  { model: "M/M/1", load: 0.7, services: exponential, waits: (0.7 * 0.7) / 0.3 },
]) {
  test(`a server with one queue keeps these arrivals waiting as theory says (${model} at ${load * 100}%)`, () => {
    const instants = all({ requests: 400_000, arrivals: "poisson", seed: 2 }, 1000);
    const service = services(load);
    // Lindley's recursion: who comes waits for what is left of those before.
    let [freeAtMs, waitedMs] = [0, 0];
    for (const instant of instants) {
      const startMs = Math.max(instant, freeAtMs);
      waitedMs += startMs - instant;
      freeAtMs = startMs + service();
    }
    // Pollaczek and Khinchine, within 5%.
    const meanMs = waitedMs / instants.length;
    assert.ok(Math.abs(meanMs / waits - 1) < 0.05, `${meanMs} ms, not ${waits}`);
  });
}

for (const arrivals of ["even", "poisson"] as const) {
  test(`a ramp: half as many requests while the rate rises, and the rate after it (${arrivals})`, () => {
    const options = { requests: endless, durationMs: 30_000, rampMs: 10_000, arrivals } as const;
    assert.equal(timetableOf(options, 1000), { requests: 25_000, lengthMs: 30_000 });
    const instants = all(options, 1000, 2);
    const until = (ms: number): number => instants.filter((instant) => instant < ms).length;
    for (const [ms, due] of [
      [5000, 1250],
      [10_000, 5000],
      [20_000, 15_000],
    ] as const) {
      const allowed = arrivals === "even" ? 1 : 5 * Math.sqrt(due);
      assert.ok(Math.abs(until(ms) - due) <= allowed, `${until(ms)} until ${ms} ms, not ${due}`);
    }
    assert.is(timetableOf({ requests: 15_000, rampMs: 10_000, arrivals }, 1000).lengthMs, 20_000);
  });
}

test("recorded instants are taken in turn, as far as requests and duration allow", () => {
  const arrivals = Float64Array.of(0, 10, 10, 30, 100);
  assert.equal(timetableOf({ requests: endless, arrivals }, 1), { requests: 5, lengthMs: 125 });
  assert.equal(all({ requests: endless, arrivals }, 1, 2), [0, 10, 10, 30, 100]);
  assert.equal(timetableOf({ requests: endless, durationMs: 50, arrivals }, 1), { requests: 4, lengthMs: 40 });
  assert.is(timetableOf({ requests: 2, arrivals }, 1).requests, 2);
});

test.run();
