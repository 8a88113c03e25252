import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compare } from "../../../src/harness/report/comparison.js";
import { latenciesOf } from "../../../src/harness/report/latencies.js";
import { errorStorm, ownRun, plausibleSweep, withCell } from "./fixture.js";

const test = suite("latencies of cells");
const plan = { trials: 8, requests: 100, concurrencies: [10, 100] } as const;

test("all trials of a valid cell are merged; of another one those that are valid by themselves, if any", () => {
  const sweep = plausibleSweep({ rates: { reactor: 1000, pool: 900 }, plan });
  const one = withCell(sweep, "pool", 10, errorStorm, (block) => block === 2);
  const found = latenciesOf(compare(withCell(one, "pool", 100, errorStorm)));
  assert.equal(
    found.map(({ fileName, total }) => [fileName, total.count]),
    [
      ["reactor-c10", 800],
      ["pool-c10", 700],
      ["reactor-c100", 800],
    ],
  );
  const maxima = sweep.trials
    .filter(({ core, concurrency }) => core === "reactor" && concurrency === 10)
    .map((trial) => ownRun(trial).latency.total.max);
  assert.is(found[0]!.total.max, Math.max(...maxima));
});

test("a name that is no file name, or becomes one that is taken, gets one of its own", () => {
  const rates = { "../../etc/x": 1000, "../../etc\\x": 900, "a b": 800 };
  const names = latenciesOf(compare(plausibleSweep({ rates, plan: { ...plan, concurrencies: [10] } })));
  assert.equal(
    names.map(({ fileName }) => fileName),
    [".._.._etc_x-c10", ".._.._etc_x-c10-2", "a_b-c10"],
  );
});

test.run();
