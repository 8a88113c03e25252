/**
 * What the reports use of Apache ECharts, whose package takes 63 MB: `scripts/vendor.ts` bundles it from `scripts/vendor/charts.ts` into the
 * file that this one describes. Loads in a quarter of a second: import it when a chart is drawn.
 */

/** Size of a chart, px. */
export interface ChartSize {
  readonly width: number;
  readonly height: number;
}

/** Draws a chart as SVG. `option` is ECharts' own: lines, bars and custom series on a grid, with title and legend. */
export declare function renderToSvg(option: object, size: ChartSize): string;
