import { suite } from "uvu";
import * as assert from "uvu/assert";
import { answerOf } from "../../../src/harness/report/answer.js";
import { compare } from "../../../src/harness/report/comparison.js";
import { warningText } from "../../../src/harness/report/diagnostic-text.js";
import { seededRandom } from "../../../src/harness/statistics/random.js";
import { expectedTailBias } from "../../../src/harness/validity/short-tail.js";
import { plausibleSweep } from "../report/fixture.js";

const tails = suite("99th percentiles of short trials");

/** Times in an M/D/1 queue with services of 1 that is empty at first, by Lindley's recursion. */
function timesInQueue(requests: number, load: number, random: () => number): Float64Array {
  let wait = 0;
  return Float64Array.from({ length: requests }, () => {
    const time = wait + 1;
    wait = Math.max(0, time + Math.log(1 - random()) / load);
    return time;
  });
}

function p99(times: Float64Array): number {
  return times.sort()[Math.ceil(0.99 * times.length) - 1]!;
}

tails("are too low by about as much as is told: simulated M/D/1 queues", () => {
  const random = seededRandom(11);
  for (const [load, requests] of [
    [0.7, 1000],
    [0.8, 3000],
    [0.9, 3000],
    [0.9, 10_000],
  ] as const) {
    const truth = p99(timesInQueue(2_000_000, load, random));
    const trials = Array.from({ length: 201 }, () => p99(timesInQueue(requests, load, random))).sort((a, b) => a - b);
    const bias = 1 - trials[100]! / truth;
    const reported = expectedTailBias(requests, load);
    assert.ok(Math.abs(reported - bias) <= 0.08, `${load}, ${requests}: ${bias} simulated, ${reported} told`);
  }
  assert.ok(expectedTailBias(1e6, 0.9) < 0.01);
});

tails("a cell of short trials near its capacity says so, and how long they should be", () => {
  const plan = {
    trials: 8,
    concurrencies: [10],
    openLoop: { shares: null, rates: [{ concurrency: 10, requestsPerSecond: 900 }], seconds: 1 },
  };
  const { levels, ...comparison } = compare(plausibleSweep({ rates: { reactor: 1000, pool: 1000 }, plan }));
  const found = levels[0]!.cells[0]!.verdict.warnings.find(({ code }) => code === "tail-too-short");
  assert.ok(found?.code === "tail-too-short");
  assert.is(found.requests, 900);
  assert.ok(found.bias > 0.3 && found.seconds > 10, JSON.stringify(found));
  assert.match(
    warningText(found),
    /^trials of 900 requests are short for a 99th percentile at \d\d% of the server's capacity: .* too low by about \d\d%; take a --duration of \d+/,
  );
  assert.ok(answerOf({ levels, ...comparison }).lines.length > 0);
});

tails.run();
