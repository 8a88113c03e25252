import { BarChart, CustomChart, LineChart } from "echarts/charts";
import { GridComponent, LegendComponent, TitleComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import type * as contract from "../../src/vendor/charts.js";

echarts.use([BarChart, LineChart, CustomChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

export const renderToSvg: typeof contract.renderToSvg = (option, { width, height }) => {
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption({ ...option });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
};
