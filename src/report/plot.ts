import { CustomChart, LineChart } from "echarts/charts";
import { GridComponent, LegendComponent, TitleComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { tick } from "./format.js";

echarts.use([LineChart, CustomChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

/** A value at one category, with its interval where there is one. */
export interface Point {
  /** Index of the category. */
  readonly category: number;
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
  /** Drawn hollow: a bound, not the value itself. */
  readonly bound: boolean;
}

export interface Series {
  readonly name: string;
  /** Index of the colour and symbol: series of one subject share it. */
  readonly subject: number;
  readonly dashed: boolean;
  readonly points: readonly Point[];
}

export interface Plot {
  readonly title: string;
  readonly subtitle: string;
  readonly xName: string;
  readonly yName: string;
  readonly categories: readonly string[];
  readonly scale: "linear" | "log";
  readonly series: readonly Series[];
}

/**
 * Colours that stay apart for colour-blind readers and on white: M. Okabe and K. Ito, "Color Universal Design", 2008, without yellow and
 * black. The symbols tell them apart without colour.
 */
const colours = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"];
const symbols = ["circle", "rect", "triangle", "diamond", "pin", "arrow"];
const ink = "#1f2328";
const faint = "#59636e";
const rule = "#d1d9e0";
const font = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif";

/** Horizontal distance between two subjects at one category, so that their intervals do not cover each other. */
const dodge = 0.1;

/** The ticks 1, 2 and 5 × 10^n from the last at or below `low` to the first at or above `high`. */
export function decadeTicks(low: number, high: number): readonly number[] {
  const ticks: number[] = [];
  for (let exponent = Math.floor(Math.log10(low)); exponent <= Math.ceil(Math.log10(high)); exponent++) {
    ticks.push(...[1, 2, 5].map((digit) => Number(`${digit}e${exponent}`)));
  }
  const first = ticks.findLastIndex((value) => value <= low);
  const last = ticks.findIndex((value) => value >= high);
  return ticks.slice(Math.max(0, first), last === -1 ? undefined : last + 1);
}

function valueAxis({ scale, series, yName }: Plot): object {
  const values = series.flatMap(({ points }) =>
    points.flatMap(({ value, low, high }) => [value, low ?? value, high ?? value]),
  );
  const common = {
    name: yName,
    nameLocation: "middle",
    nameGap: 52,
    nameTextStyle: { color: ink, fontSize: 13 },
    axisLine: { show: false },
    axisTick: { show: false },
    splitLine: { lineStyle: { color: rule } },
  };
  const label = { color: faint, fontSize: 12, formatter: tick };
  if (scale === "linear" || values.length === 0) return { ...common, type: "value", min: 0, axisLabel: label };
  const ticks = decadeTicks(Math.min(...values), Math.max(...values));
  return {
    ...common,
    type: "log",
    min: ticks[0],
    max: ticks.at(-1),
    // Ticks are not drawn, but the grid lines follow them.
    axisTick: { show: false, customValues: ticks },
    axisLabel: { ...label, customValues: ticks },
  };
}

/** The interval as a vertical bar with caps, drawn beneath the points. */
function intervalSeries({ points, subject }: Series, shift: number): object {
  return {
    type: "custom",
    silent: true,
    z: 1,
    encode: { x: 0, y: [1, 2] },
    data: points.flatMap(({ category, low, high }) =>
      low === null || high === null ? [] : [[category + shift, low, high]],
    ),
    renderItem: (
      _: unknown,
      api: { value(index: number): number; coord(point: readonly number[]): readonly number[] },
    ) => {
      const [x = 0, bottom = 0] = api.coord([api.value(0), api.value(1)]);
      const [, top = 0] = api.coord([api.value(0), api.value(2)]);
      const style = { stroke: colours[subject % colours.length], lineWidth: 1.5, fill: "none" };
      const bar = (x1: number, y1: number, x2: number, y2: number): object => ({
        type: "line",
        shape: { x1, y1, x2, y2 },
        style,
      });
      return {
        type: "group",
        children: [bar(x, bottom, x, top), bar(x - 4, bottom, x + 4, bottom), bar(x - 4, top, x + 4, top)],
      };
    },
  };
}

/**
 * Leaves out what serves a page that hydrates the chart (hover styles, data of the marks), and the library's running numbers: so the file
 * is smaller, and the same plot gives the same file.
 */
function asDocument(svg: string): string {
  return svg
    .replace(/<style >[\s\S]*?<\/style>\s*/, "")
    .replace(/ (?:class|ecmeta_\w+|pointer-events)="[^"]*"/g, "")
    .replaceAll(/\bzr\d+-/g, "");
}

/** A line chart over categories with intervals, as a self-contained SVG: its own background, text as text, no script, no font to load. */
export function renderPlot(plot: Plot): string {
  const { title, subtitle, categories, series, xName } = plot;
  const width = 800;
  const height = 440;
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width, height });
  const subjects = 1 + Math.max(0, ...series.map(({ subject }) => subject));
  const shiftOf = ({ subject }: Series): number => (subject - (subjects - 1) / 2) * dodge;
  const indices = categories.map((_, index) => index);
  try {
    chart.setOption({
      animation: false,
      backgroundColor: "#ffffff",
      textStyle: { fontFamily: font, fontSize: 12, color: ink },
      title: {
        text: title,
        subtext: subtitle,
        left: 16,
        top: 10,
        textStyle: { fontSize: 16, fontWeight: 600, color: ink },
        subtextStyle: { fontSize: 12, color: faint },
      },
      legend: {
        data: series.map(({ name }) => name),
        left: 12,
        top: 58,
        itemWidth: 34,
        itemGap: 20,
        textStyle: { fontSize: 13, color: ink },
      },
      grid: { left: 76, right: 28, top: 96, bottom: 56 },
      xAxis: {
        type: "value",
        min: -0.5,
        max: categories.length - 0.5,
        name: xName,
        nameLocation: "middle",
        nameGap: 30,
        nameTextStyle: { color: ink, fontSize: 13 },
        axisLine: { lineStyle: { color: faint } },
        axisTick: { customValues: indices },
        axisLabel: {
          color: faint,
          fontSize: 12,
          customValues: indices,
          formatter: (index: number) => categories[index] ?? "",
        },
        splitLine: { show: false },
      },
      yAxis: valueAxis(plot),
      series: series.flatMap((entry) => {
        const colour = colours[entry.subject % colours.length];
        return [
          intervalSeries(entry, shiftOf(entry)),
          {
            type: "line",
            name: entry.name,
            silent: true,
            z: 2,
            symbol: symbols[entry.subject % symbols.length],
            symbolSize: 9,
            lineStyle: { width: 2, color: colour, type: entry.dashed ? "dashed" : "solid" },
            itemStyle: { color: colour, borderColor: colour, borderWidth: 2 },
            // A category without a point breaks the line.
            data: indices.map((category) => {
              const point = entry.points.find((candidate) => candidate.category === category);
              const value = [category + shiftOf(entry), point?.value ?? null];
              return point?.bound === true ? { value, itemStyle: { color: "#ffffff" } } : { value };
            }),
          },
        ];
      }),
    });
    return asDocument(chart.renderToSVGString());
  } finally {
    chart.dispose();
  }
}
