import { figureGrid, fileLayout, type Layout, renderSvg, valueAxis } from "./svg.js";
import { colourOf, faint, ink, paper, symbols } from "./theme.js";

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
  /** Index of the colour and symbol: series of one colourIndex share it. */
  readonly colourIndex: number;
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

/** Horizontal distance between two targets at one category, so that their intervals do not cover each other. */
const dodge = 0.1;

/** Intervals as vertical bars with caps, drawn beneath the points: each x, low, high. */
export function intervalBars(data: readonly (readonly [x: number, low: number, high: number])[], colourIndex: number) {
  return {
    type: "custom",
    silent: true,
    z: 1,
    encode: { x: 0, y: [1, 2] },
    data,
    renderItem: (
      _: unknown,
      api: { value(index: number): number; coord(point: readonly number[]): readonly number[] },
    ) => {
      const [x = 0, bottom = 0] = api.coord([api.value(0), api.value(1)]);
      const [, top = 0] = api.coord([api.value(0), api.value(2)]);
      const style = { stroke: colourOf(colourIndex), lineWidth: 1.5, fill: "none" };
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

function intervalSeries({ points, colourIndex }: Series, shift: number): object {
  const known = points.flatMap(({ category, low, high }) =>
    low === null || high === null ? [] : [[category + shift, low, high] as const],
  );
  return intervalBars(known, colourIndex);
}

/** What a chart in a file of its own says above its lines. */
export function headOf({
  title,
  subtitle,
  series,
}: Pick<Plot, "title" | "subtitle"> & { readonly series: readonly Pick<Series, "name">[] }): object {
  return {
    backgroundColor: paper,
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
  };
}

/** A line chart over categories with intervals, as a self-contained SVG. */
export function renderPlot(plot: Plot, layout: Layout = fileLayout): string {
  const { categories, series, xName, yName, scale } = plot;
  const targets = 1 + Math.max(0, ...series.map(({ colourIndex }) => colourIndex));
  const shiftOf = ({ colourIndex }: Series): number => (colourIndex - (targets - 1) / 2) * dodge;
  const indices = categories.map((_, index) => index);
  const values = series.flatMap(({ points }) =>
    points.flatMap(({ value, low, high }) => [value, low ?? value, high ?? value]),
  );
  const { fontSize } = layout;
  const option = {
    ...(layout.standsAlone ? headOf(plot) : { grid: figureGrid }),
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
        fontSize,
        customValues: indices,
        formatter: (index: number) => categories[index] ?? "",
      },
      splitLine: { show: false },
    },
    yAxis: valueAxis(scale, values, yName, layout),
    series: series.flatMap((entry) => {
      const colour = colourOf(entry.colourIndex);
      return [
        intervalSeries(entry, shiftOf(entry)),
        {
          type: "line",
          name: entry.name,
          silent: true,
          z: 2,
          symbol: symbols[entry.colourIndex % symbols.length],
          symbolSize: 9,
          lineStyle: { width: 2, color: colour, type: entry.dashed ? "dashed" : "solid" },
          itemStyle: { color: colour, borderColor: colour, borderWidth: 2 },
          // A category without a point breaks the line.
          data: indices.map((category) => {
            const point = entry.points.find((candidate) => candidate.category === category);
            const value = [category + shiftOf(entry), point?.value ?? null];
            return point?.bound === true ? { value, itemStyle: { color: paper } } : { value };
          }),
        },
      ];
    }),
  };
  return renderSvg(option, layout);
}
