import { tick } from "./format.js";
import { type Layout, renderSvg } from "./svg.js";
import { colourOf, faint, ink, rule } from "./theme.js";

/** Quantities that add up, as bars of one length each. */
export interface Stack {
  readonly xName: string;
  /** Above each bar. */
  readonly rows: readonly string[];
  /** A part of every row. */
  readonly parts: readonly { readonly colourIndex: number; readonly values: readonly number[] }[];
}

/** Height of the axis below the bars, and of one bar with its name. */
const AXIS_PX = 50;
const ROW_PX = 56;

/** Horizontal bars as a figure of a page, as high as its rows need; the first row is the top one. A part below 0 is not drawn. */
export function renderStack({ xName, rows, parts }: Stack, layout: Layout): string {
  const { fontSize, width } = layout;
  const label = { color: faint, fontSize };
  return renderSvg(
    {
      grid: { left: 16, right: 28, top: 14, bottom: AXIS_PX },
      xAxis: {
        type: "value",
        min: 0,
        splitNumber: 4,
        name: xName,
        nameLocation: "middle",
        nameGap: 30,
        nameTextStyle: { color: ink, fontSize: 13 },
        axisLabel: { ...label, formatter: tick },
        splitLine: { lineStyle: { color: rule } },
      },
      yAxis: {
        type: "category",
        inverse: true,
        data: rows,
        axisLine: { lineStyle: { color: faint } },
        axisTick: { show: false },
        // Inside, above the bar: beside it a long name would leave no room.
        axisLabel: {
          color: ink,
          fontSize,
          inside: true,
          align: "left",
          verticalAlign: "bottom",
          padding: [0, 0, 12, 0],
          width: width - 60,
          overflow: "truncate",
        },
        z: 3,
      },
      series: parts.map(({ colourIndex, values }) => ({
        type: "bar",
        stack: "all",
        silent: true,
        barWidth: 16,
        itemStyle: { color: colourOf(colourIndex) },
        data: values.map((value) => Math.max(0, value)),
      })),
    },
    { ...layout, height: AXIS_PX + 14 + ROW_PX * rows.length },
  );
}
