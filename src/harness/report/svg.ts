import { renderToSvg } from "../../vendor/charts.js";
import { tick } from "./format.js";
import { faint, ink, rule } from "./theme.js";

/** Where a chart stands. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  /** Size of its text, px. */
  readonly fontSize: number;
  readonly fontFamily: string;
  /** With a background, a title and a legend of its own; else these are the page's. */
  readonly standsAlone: boolean;
  /** Begins the ids in the chart: those of one page must differ. */
  readonly idPrefix: string;
}

/** A chart in a file of its own. */
export const fileLayout: Layout = {
  width: 800,
  height: 440,
  fontSize: 12,
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif",
  standsAlone: true,
  idPrefix: "",
};

/** A chart in a page, which is half as wide as the page and as wide as a phone: small, with text that is large for it. */
export function figureLayout(idPrefix: string): Layout {
  return { width: 420, height: 310, fontSize: 13, fontFamily: "inherit", standsAlone: false, idPrefix };
}

/** What the axes of a figure leave to its lines. */
export const figureGrid = { left: 66, right: 16, top: 12, bottom: 50 } as const;

/** More labels than this on a logarithmic axis run into each other: then only the decades have one. */
const MAX_TICKS = 10;

/** An SVG that brings all it needs: text as text, no script, no font to load. `option` is ECharts' own. */
export function renderSvg(option: object, { width, height, fontSize, fontFamily, idPrefix }: Layout): string {
  const common = { animation: false, textStyle: { fontFamily, fontSize, color: ink } };
  return bare(renderToSvg({ ...common, ...option }, { width, height }), idPrefix);
}

/**
 * Leaves out what serves a page that hydrates the chart (hover styles, data of the marks), and the library's running numbers: so the file
 * is smaller, and the same plot gives the same file.
 */
function bare(svg: string, idPrefix: string): string {
  return svg
    .replace(/<style >[\s\S]*?<\/style>\s*/, "")
    .replace(/ (?:class|ecmeta_\w+|pointer-events)="[^"]*"/g, "")
    .replaceAll(/\bzr\d+-/g, idPrefix);
}

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

/** An axis of values that holds all of `values`: from 0, or logarithmic. */
export function valueAxis(
  scale: "linear" | "log",
  values: readonly number[],
  name: string,
  { fontSize }: Layout,
): object {
  const common = {
    name,
    nameLocation: "middle",
    nameGap: 4 * (fontSize + 1),
    nameTextStyle: { color: ink, fontSize: Math.max(13, fontSize) },
    axisLine: { show: false },
    axisTick: { show: false },
    splitLine: { lineStyle: { color: rule } },
  };
  const label = { color: faint, fontSize, formatter: tick };
  if (scale === "linear" || values.length === 0) return { ...common, type: "value", min: 0, axisLabel: label };
  const ticks = axisTicks(Math.min(...values), Math.max(...values));
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

/** The ticks at 1, 2 and 5 of each decade; where they are too many to label, at the ends and at each power of ten between. */
function axisTicks(low: number, high: number): readonly number[] {
  const ticks = decadeTicks(low, high);
  if (ticks.length <= MAX_TICKS) return ticks;
  const isPower = (value: number): boolean => Number.isInteger(Number(Math.log10(value).toFixed(9)));
  return ticks.filter((value, index) => index === 0 || index === ticks.length - 1 || isPower(value));
}
