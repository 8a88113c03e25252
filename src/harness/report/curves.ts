import { figureGrid, type Layout, renderSvg, valueAxis } from "./svg.js";
import { colourOf, faint, ink, rule } from "./theme.js";

/** A line through points, in order of x. */
export interface Curve {
  /** Index of the colour. */
  readonly colourIndex: number;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** Lines over a quantity. */
export interface Curves {
  readonly xName: string;
  readonly yName: string;
  /** "percentiles": x is 1 ÷ (1 − share), on a logarithmic axis marked 0%, 90%, 99% …, as HdrHistogram's plotter draws it. */
  readonly x: "percentiles" | "linear";
  readonly scale: "linear" | "log";
  /** One of several of its colourIndex. */
  readonly thin: boolean;
  readonly curves: readonly Curve[];
}

/** 10 is 90%, 1,000 is 99.9%. */
function percentileOf(inverse: number): string {
  const nines = Math.round(Math.log10(inverse));
  return nines === 0 ? "0%" : `${(100 * (1 - 1 / inverse)).toFixed(Math.max(0, nines - 2))}%`;
}

function xAxis({ x, xName, curves }: Curves, { fontSize }: Layout): object {
  const highest = Math.max(1, ...curves.flatMap(({ points }) => points.map(([value]) => value)));
  const common = {
    name: xName,
    nameLocation: "middle",
    nameGap: 30,
    nameTextStyle: { color: ink, fontSize: 13 },
    axisLine: { lineStyle: { color: faint } },
  };
  const label = { color: faint, fontSize };
  if (x === "linear") {
    return { ...common, type: "value", min: 0, minInterval: 1, axisLabel: label, splitLine: { show: false } };
  }
  const decades = Math.max(1, Math.ceil(Math.log10(highest) - 1e-9));
  const ticks = Array.from({ length: decades + 1 }, (_, exponent) => 10 ** exponent);
  return {
    ...common,
    type: "log",
    min: 1,
    max: ticks.at(-1),
    axisTick: { customValues: ticks },
    // More of them would run into each other.
    axisLabel: {
      ...label,
      customValues: ticks.filter((_, exponent) => decades <= 4 || exponent % 2 === 0),
      formatter: percentileOf,
    },
    splitLine: { lineStyle: { color: rule } },
  };
}

/** Curves as a figure of a page. On a logarithmic axis values of 0 are left out. */
export function renderCurves(plot: Curves, layout: Layout): string {
  const { curves, scale, thin, yName } = plot;
  const drawn = curves.map(({ points, ...curve }) => ({
    ...curve,
    points: scale === "log" ? points.filter(([, y]) => y > 0) : points,
  }));
  const values = drawn.flatMap(({ points }) => points.map(([, y]) => y));
  return renderSvg(
    {
      // Half of the last percentile's label lies beyond its mark.
      grid: plot.x === "percentiles" ? { ...figureGrid, right: 34 } : figureGrid,
      xAxis: xAxis(plot, layout),
      yAxis: valueAxis(scale, values, yName, layout),
      series: drawn.map(({ colourIndex, points }) => ({
        type: "line",
        silent: true,
        showSymbol: false,
        lineStyle: { width: thin ? 1 : 2, color: colourOf(colourIndex), opacity: thin ? 0.7 : 1 },
        data: points,
      })),
    },
    layout,
  );
}
