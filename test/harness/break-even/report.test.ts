import { suite } from "uvu";
import * as assert from "uvu/assert";
import { chartsOf, renderCrossings } from "../../../src/harness/break-even/chart.js";
import { curvesOf } from "../../../src/harness/break-even/curves.js";
import { breakEvenDocument } from "../../../src/harness/break-even/document.js";
import { outcomeText } from "../../../src/harness/break-even/text.js";
import { plausibleResult } from "./fixture.js";

const result = plausibleResult();
const curves = curvesOf(result);
const charts = chartsOf(result, curves);

const test = suite("break-even report");

test("a chart for each metric has a line for each number of CPUs, and the cost of the crossing", () => {
  assert.equal(
    charts.map(({ fileName }) => fileName),
    ["throughput-c10.svg", "cpu-c10.svg"],
  );
  const [throughput] = charts;
  const svg = renderCrossings(throughput!);
  const texts = [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
  for (const text of ["1 CPU", "2 CPUs", "CPU of the handler", "0 µs", "1 ms"]) assert.ok(texts.includes(text), text);
  const crossing = outcomeText(curves.find(({ serverCpus }) => serverCpus === 2)!.outcome).split(" ");
  assert.ok(texts.includes(`${crossing[1]} ${crossing[2]}`), `${crossing.join(" ")} in ${texts.join("|")}`);
  assert.is(renderCrossings(throughput!), svg, "the same result gives the same file");
});

test("the document has the answer, every chart and every cost, and is the same each time", () => {
  const references = { resultFile: "a(b).json", folder: "a(b)", charts };
  const text = breakEvenDocument(result, curves, references);
  assert.is(breakEvenDocument(result, curves, references), text);
  assert.match(text, /^# Break-even of reactor and pool/);
  assert.match(text, /- With 1 CPU at c=10 the pool never serves more requests than the reactor/);
  assert.match(text, /\| pool, 1 CPU, c=10: requests per second +\| +never \|/);
  assert.match(text, /\]\(a%28b%29\/throughput-c10\.svg\)/);
  for (const { costMicros } of result.plan.passes.flatMap(({ points }) => points)) {
    assert.match(
      text,
      new RegExp(`^\\| ${costMicros < 1000 ? `${costMicros} µs` : `${costMicros / 1000} ms`} +\\|`, "m"),
    );
  }
  assert.match(text, /npm run break-even -- a\(b\)\.json/);
});

test.run();
