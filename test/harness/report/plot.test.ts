import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Plot, type Point, renderPlot } from "../../../src/harness/report/plot.js";
import { decadeTicks } from "../../../src/harness/report/svg.js";
import { parseXml } from "./xml.js";

const point = (category: number, value: number, spread: number | null = value / 10): Point => ({
  category,
  value,
  low: spread === null ? null : value - spread,
  high: spread === null ? null : value + spread,
  bound: false,
});

const plot: Plot = {
  title: "Throughput",
  subtitle: "GET /a?b=1&c=<2>",
  xName: "Concurrency",
  yName: "Requests per second",
  categories: ["10", "100", "250"],
  scale: "linear",
  series: [
    {
      name: "reactor",
      colourIndex: 0,
      dashed: false,
      points: [point(0, 120_000), point(1, 130_000), point(2, 125_000)],
    },
    { name: "pool", colourIndex: 1, dashed: true, points: [point(0, 90_000), point(1, 110_000), point(2, 120_000)] },
  ],
};

const texts = (svg: string): readonly string[] =>
  parseXml(svg)
    .filter(({ name }) => name === "text")
    .map(({ text }) => text);
const strokes = (svg: string, colour: string): readonly string[] =>
  parseXml(svg)
    .filter(({ attributes }) => attributes["stroke"] === colour)
    .map(({ attributes }) => attributes["d"] ?? "");

const drawing = suite("plot");

drawing("a plot is a well-formed SVG whose words are text, with nothing to run or load", () => {
  const svg = renderPlot(plot);
  const elements = parseXml(svg);
  assert.is(elements[0]?.name, "svg");
  assert.is(elements[0]?.attributes["xmlns"], "http://www.w3.org/2000/svg");
  for (const word of [
    "Throughput",
    "GET /a?b=1&c=<2>",
    "Concurrency",
    "Requests per second",
    "reactor",
    "pool",
    "10",
    "100",
    "250",
  ]) {
    assert.ok(texts(svg).includes(word), word);
  }
  assert.ok(texts(svg).includes("120k"), "axis figures are short");
  assert.not.match(svg, /<script|<image|@import|url\((?!#)|href=|<style/);
});

drawing("it paints its own background and no text is smaller than 12 pixels", () => {
  const elements = parseXml(renderPlot(plot));
  const background = elements.find(({ name }) => name === "rect");
  assert.is(background?.attributes["fill"], "#ffffff");
  assert.is(background?.attributes["width"], elements[0]?.attributes["width"]);
  for (const { attributes, text } of elements.filter(({ name }) => name === "text")) {
    assert.ok(Number(/font-size:(\d+)px/.exec(attributes["style"] ?? "")?.[1]) >= 12, text);
  }
});

drawing("each interval is a bar with two caps, and a point without one has none", () => {
  const bare = {
    ...plot,
    series: plot.series.map((entry) => ({
      ...entry,
      points: entry.points.map(({ category, value }) => point(category, value, null)),
    })),
  };
  for (const colour of ["#0072B2", "#D55E00"]) {
    assert.is(strokes(renderPlot(plot), colour).length - strokes(renderPlot(bare), colour).length, 9, colour);
  }
});

drawing("a category without a point breaks the line instead of bridging it", () => {
  const categories = ["1", "2", "3", "4"];
  const series = (points: readonly Point[]): Plot => ({
    ...plot,
    categories,
    series: [{ name: "pool", colourIndex: 0, dashed: false, points }],
  });
  const line = (drawn: Plot): string | undefined =>
    strokes(renderPlot(drawn), "#0072B2").find((path) => (path.match(/L/g) ?? []).length > 1);
  const all = [0, 1, 2, 3].map((category) => point(category, 100 + category, null));
  const whole = renderPlot(series(all));
  const broken = renderPlot(series(all.filter(({ category }) => category !== 1)));
  assert.is((line(series(all))?.match(/M/g) ?? []).length, 1);
  assert.not.match(broken, /NaN|undefined/);
  assert.is.not(broken, whole);
  assert.is(line(series(all.filter(({ category }) => category !== 1))), undefined, "no line runs through three points");
});

drawing("the same plot gives the same file, however many were drawn before", () => {
  const first = renderPlot(plot);
  renderPlot({ ...plot, scale: "log" });
  assert.ok(first === renderPlot(plot));
});

drawing("a plot without a valid point is still well-formed", () => {
  for (const scale of ["linear", "log"] as const)
    parseXml(renderPlot({ ...plot, scale, series: plot.series.map((entry) => ({ ...entry, points: [] })) }));
});

drawing("a logarithmic axis is marked at 1, 2 and 5 of each decade around the values", () => {
  assert.equal(decadeTicks(0.07, 8), [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]);
  assert.equal(decadeTicks(1, 5), [1, 2, 5]);
  assert.equal(decadeTicks(3, 3), [2, 5]);
  assert.equal(decadeTicks(600, 900), [500, 1000]);
  const svg = renderPlot({
    ...plot,
    scale: "log",
    series: [{ ...plot.series[0]!, points: [point(0, 0.07, null), point(1, 8, null)] }],
  });
  for (const label of ["0.05", "0.5", "2", "10"]) assert.ok(texts(svg).includes(label), label);
});

drawing.run();

const xml = suite("XML check of these tests");

xml("tells well-formed from broken", () => {
  assert.is(parseXml('<a x="1"><b/>t &amp; u</a>')[0]?.text, "t & u");
  for (const broken of [
    "<a>",
    "<a></b>",
    "<a>&</a>",
    '<a x="1" x="2"/>',
    "<a/><b/>",
    "<a x=1/>",
    "text",
    "<a><b></a></b>",
  ]) {
    assert.throws(() => parseXml(broken), undefined, broken);
  }
});

xml.run();
