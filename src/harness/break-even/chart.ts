import { costText } from "../report/format.js";
import type { MetricKey } from "../report/metrics.js";
import { headOf, intervalBars } from "../report/plot.js";
import { fileLayout, type Layout, renderSvg, valueAxis } from "../report/svg.js";
import { colourOf, faint, ink, symbols } from "../report/theme.js";
import type { BreakEvenCurve } from "./curves.js";
import { positionOf } from "./plan.js";
import type { BreakEvenResult } from "./result.js";
import { costName, subjectOf } from "./text.js";

/** A chart of one metric under one load: a line for each number of CPUs and core. */
export interface CrossingChart {
  readonly title: string;
  readonly subtitle: string;
  readonly xName: string;
  readonly yName: string;
  readonly curves: readonly { readonly name: string; readonly curve: BreakEvenCurve }[];
}

/** The curves of a result by what they have in common, each group one chart. */
export function chartsOf(
  { plan }: BreakEvenResult,
  curves: readonly BreakEvenCurve[],
): readonly (CrossingChart & { readonly fileName: string })[] {
  const base = plan.cores[0]!;
  const groups = new Map<string, BreakEvenCurve[]>();
  for (const curve of curves) {
    const fileName = `${fileNames[curve.metric]}-c${curve.concurrency}${curve.rate === null ? "" : `-${curve.rate}-per-s`}.svg`;
    groups.set(fileName, [...(groups.get(fileName) ?? []), curve]);
  }
  return [...groups].map(([fileName, own]) => {
    const { metric, concurrency, rate } = own[0]!;
    const subject = subjectOf(metric);
    return {
      fileName,
      title: `Break-even: ${subject}`,
      subtitle: `÷ the ${base}'s, c=${concurrency}${rate === null ? "" : `, ${rate} requests/s`} · bars: 95% interval · band: 95% interval of the crossing`,
      xName: `CPU ${costName(plan.handler).replace("of CPU ", "").replace("of handler CPU", "of the handler")}`,
      yName: `Ratio to the ${base} (log scale)`,
      curves: own.map((curve) => ({
        name: `${plan.cores.length > 2 ? `${curve.core}, ` : ""}${curve.serverCpus} CPU${curve.serverCpus === 1 ? "" : "s"}`,
        curve,
      })),
    };
  });
}

const fileNames: Readonly<Partial<Record<MetricKey, string>>> = {
  requestsPerSecond: "throughput",
  cpuPerRequestMicros: "cpu",
  p99Ms: "p99",
};

/** A curve as it is drawn. */
interface Drawn {
  readonly name: string;
  readonly colourIndex: number;
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly bars: readonly (readonly [x: number, low: number, high: number])[];
  readonly crossing: { readonly at: number; readonly low: number; readonly high: number; readonly text: string } | null;
}

function drawnOf({ name, curve }: CrossingChart["curves"][number], colourIndex: number): Drawn {
  const known = curve.points.flatMap(({ costMicros, difference }) =>
    difference === null ? [] : [{ x: positionOf(costMicros), difference }],
  );
  const { outcome } = curve;
  return {
    name,
    colourIndex,
    points: known.map(({ x, difference }) => [x, difference.ratio]),
    bars: known.flatMap(({ x, difference: { interval } }) =>
      interval === null ? [] : [[x, interval.low, interval.high]],
    ),
    crossing:
      outcome.kind === "from" || outcome.kind === "up-to"
        ? {
            at: positionOf(outcome.costMicros),
            low: positionOf(outcome.interval.low),
            high: positionOf(outcome.interval.high),
            text: costText(outcome.costMicros),
          }
        : null,
  };
}

/** The ratio over the cost, with each crossing, as a self-contained SVG. */
export function renderCrossings(chart: CrossingChart, layout: Layout = fileLayout): string {
  const drawn = chart.curves.map(drawnOf);
  const costs = chart.curves.flatMap(({ curve }) => curve.points.map(({ costMicros }) => costMicros));
  const ticks = axisCosts(Math.min(...costs), Math.max(...costs));
  const positions = ticks.map(positionOf);
  const ends = [positionOf(Math.min(...costs)), positionOf(Math.max(...costs))];
  const values = [
    1,
    ...drawn.flatMap(({ points, bars }) => [
      ...points.map(([, y]) => y),
      ...bars.flatMap(([, low, high]) => [low, high]),
    ]),
  ];
  const option = {
    ...headOf({ title: chart.title, subtitle: chart.subtitle, series: drawn }),
    xAxis: {
      type: "value",
      min: ends[0]! - 0.1,
      max: ends[1]! + 0.1,
      name: chart.xName,
      nameLocation: "middle",
      nameGap: 30,
      nameTextStyle: { color: ink, fontSize: 13 },
      axisLine: { lineStyle: { color: faint }, onZero: false },
      axisTick: { customValues: positions },
      axisLabel: {
        color: faint,
        fontSize: layout.fontSize,
        customValues: positions,
        formatter: (position: number) => labelAt(position, ticks, positions),
      },
      splitLine: { show: false },
    },
    yAxis: valueAxis("log", values, chart.yName, layout),
    series: [
      {
        type: "line",
        silent: true,
        z: 1,
        showSymbol: false,
        lineStyle: { width: 1.5, color: ink, type: "dotted" },
        data: ends.map((x) => [x, 1]),
      },
      ...drawn.flatMap((entry) => [
        ...(entry.crossing === null ? [] : [crossingSeries(entry.crossing, entry.colourIndex)]),
        intervalBars(entry.bars, entry.colourIndex),
        {
          type: "line",
          name: entry.name,
          silent: true,
          z: 2,
          symbol: symbols[entry.colourIndex % symbols.length],
          symbolSize: 8,
          lineStyle: { width: 2, color: colourOf(entry.colourIndex) },
          itemStyle: { color: colourOf(entry.colourIndex) },
          data: entry.points,
        },
      ]),
    ],
  };
  return renderSvg(option, layout);
}

function labelAt(position: number, ticks: readonly number[], positions: readonly number[]): string {
  const index = positions.findIndex((candidate) => Math.abs(candidate - position) < 1e-9);
  return index === -1 ? "" : costText(ticks[index]!);
}

/** 0 and powers of ten from 10 µs, as far as they lie within. */
function axisCosts(low: number, high: number): readonly number[] {
  const decades = [0, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000, 1_000_000, 10_000_000];
  const inside = decades.filter((cost) => cost >= low && cost <= high);
  return inside.length >= 2 ? inside : [low, high];
}

/** The interval of a crossing as a band, the crossing as a line with its cost. */
function crossingSeries({ at, low, high, text }: NonNullable<Drawn["crossing"]>, colourIndex: number): object {
  const colour = colourOf(colourIndex);
  return {
    type: "custom",
    silent: true,
    z: 0,
    encode: { x: [0, 1, 2] },
    data: [[at, low, high]],
    renderItem: (
      params: { readonly coordSys: { readonly y: number; readonly height: number } },
      api: { value(index: number): number; coord(point: readonly number[]): readonly number[] },
    ) => {
      const { y, height } = params.coordSys;
      const [x = 0, left = 0, right = 0] = [0, 1, 2].map((index) => api.coord([api.value(index), 1])[0]);
      return {
        type: "group",
        children: [
          { type: "rect", shape: { x: left, y, width: right - left, height }, style: { fill: colour, opacity: 0.15 } },
          {
            type: "line",
            shape: { x1: x, y1: y, x2: x, y2: y + height },
            style: { stroke: colour, lineWidth: 1.5, lineDash: [4, 3] },
          },
          {
            type: "text",
            style: { text, x: right + 5, y: y + 4 + 16 * colourIndex, fill: colour, fontSize: 12, fontWeight: 600 },
          },
        ],
      };
    },
  };
}
