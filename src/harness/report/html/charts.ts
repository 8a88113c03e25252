import { windowSeconds } from "../../drivers/rate.js";
import type { Load } from "../../sweep/plan.js";
import type { Cell } from "../cell.js";
import { latencyPlot, throughputPlot } from "../charts.js";
import type { Comparison, Level } from "../comparison.js";
import { renderCurves } from "../curves.js";
import { counted, listed, loadText, significant, whole } from "../format.js";
import { percentileRows } from "../hgrm.js";
import type { CellLatency } from "../latencies.js";
import { decompositionOf, partNames, partsOf } from "../phases.js";
import { type Plot, renderPlot } from "../plot.js";
import { renderStack } from "../stack.js";
import type { Figure, Key } from "./figure.js";

/** The figures of a report's page: what is drawn, its legend and what it says to someone who does not see it. */

function plotFigure(plot: Plot, format: (value: number) => string): Figure {
  const said = plot.series.map(({ name, points }) => {
    const values = points.map(({ category, value }) => `${format(value)} at ${plot.categories[category]}`);
    return `${name} ${values.length === 0 ? "no valid cell" : values.join(", ")}`;
  });
  return {
    title: plot.title,
    note: plot.subtitle,
    label: `${plot.yName} over concurrency: ${said.join("; ")}`,
    keys: plot.series.map(({ name, colourIndex, dashed }) => ({
      name,
      colourIndex,
      mark: dashed ? "dashed symbols" : "symbols",
    })),
    draw: (layout) => renderPlot(plot, layout),
  };
}

/** Throughput and latency over concurrency. */
export function overviewFigures(comparison: Comparison): readonly Figure[] {
  return [plotFigure(throughputPlot(comparison), whole), plotFigure(latencyPlot(comparison), significant)];
}

/** A load as it is said aloud. */
function spoken({ concurrency, rate, serverCpus }: Load): string {
  const cpus = serverCpus === undefined ? "" : ` on ${counted(serverCpus, "CPU")}`;
  return `concurrency ${concurrency}${rate === null ? "" : ` and ${whole(rate)} requests per second`}${cpus}`;
}

function lineKeys(cores: readonly string[], targets: readonly string[]): readonly Key[] {
  return cores.map((core) => ({ name: core, colourIndex: targets.indexOf(core), mark: "line" }));
}

/** For each load the percentile curves of all its cells over their valid trials. `targets` gives each core its colour. */
export function percentileFigures(
  { levels }: Comparison,
  latencies: readonly CellLatency[],
  targets: readonly string[],
): readonly Figure[] {
  return levels.flatMap((level) => {
    const load = loadText(level);
    const found = latencies.filter(({ cell, total }) => loadText(cell) === load && total.count > 0);
    if (found.length === 0) return [];
    const said = found.map(({ cell, total }) => {
      const values = [50, 99, 99.9].map((p) => `p${p} ${significant(total.valueAtPercentile(p) / 1e6)}`);
      return `${cell.core} ${values.join(", ")}, longest ${significant(total.max / 1e6)}`;
    });
    return [
      {
        title: load,
        note: found.map(({ cell, total }) => `${cell.core}: ${counted(total.count, "request")}`).join(" · "),
        label: `Latency by percentile at ${spoken(level)}, ms: ${said.join("; ")}`,
        keys: lineKeys(
          found.map(({ cell }) => cell.core),
          targets,
        ),
        draw: (layout) =>
          renderCurves(
            {
              xName: "Percentile",
              yName: "Time per request, ms (log scale)",
              x: "percentiles",
              scale: "log",
              thin: false,
              curves: found.map(({ cell, total }) => ({
                colourIndex: targets.indexOf(cell.core),
                points: percentileRows(total).flatMap(({ valueNs, share }) =>
                  share === 1 || valueNs <= 0 ? [] : [[1 / (1 - share), valueNs / 1e6] as const],
                ),
              })),
            },
            layout,
          ),
      },
    ];
  });
}

/** Fewer whole seconds than this make no line. */
const FEWEST_SECONDS = 2;

/**
 * The whole seconds of the window of each trial of a cell. Empty where one of them is too short for a line: where a number of requests ends
 * the trials, those that last longest are the ones that something disturbed, and drawn alone they would stand for all.
 */
function wholeSeconds({ trials }: Cell): readonly (readonly { readonly completed: number; readonly p99: number }[])[] {
  const all = trials.map(({ run }) => (run.perSecond ?? []).slice(0, Math.floor(windowSeconds(run))));
  return all.every((seconds) => seconds.length >= FEWEST_SECONDS) ? all : [];
}

/** For each load requests per second and 99th percentile in each second of each trial. Empty where trials are too short for it. */
export function secondsFigures({ levels }: Comparison, targets: readonly string[]): readonly Figure[] {
  return levels.flatMap((level: Level) => {
    const found = level.cells
      .map((cell) => ({ core: cell.core, trials: wholeSeconds(cell) }))
      .filter(({ trials }) => trials.length > 0);
    if (found.length === 0) return [];
    const keys = lineKeys(
      found.map(({ core }) => core),
      targets,
    );
    const lines = found.map(({ core, trials }) => `${counted(trials.length, "trial")} of ${core}`);
    const figureOf = (
      title: string,
      yName: string,
      scale: "linear" | "log",
      value: (second: { readonly completed: number; readonly p99: number }) => number,
      format: (value: number) => string,
    ): Figure => {
      const said = found.map(({ core, trials }) => {
        const all = trials.flat().map(value);
        return `${core} from ${format(Math.min(...all))} to ${format(Math.max(...all))}`;
      });
      return {
        title: `${title}, ${loadText(level)}`,
        note: `a line for each trial: ${listed(lines)}`,
        label: `${yName} in each second of each trial at ${spoken(level)}: ${said.join("; ")}`,
        keys,
        draw: (layout) =>
          renderCurves(
            {
              xName: "Second of the trial",
              yName,
              x: "linear",
              scale,
              thin: true,
              curves: found.flatMap(({ core, trials }) =>
                trials.map((seconds) => ({
                  colourIndex: targets.indexOf(core),
                  points: seconds.map((second, index) => [index + 1, value(second)] as const),
                })),
              ),
            },
            layout,
          ),
      };
    };
    return [
      figureOf("Requests", "Requests per second", "linear", ({ completed }) => completed, whole),
      figureOf("99th percentile", "p99, ms (log scale)", "log", ({ p99 }) => p99 / 1e6, significant),
    ];
  });
}

/** Colour of each part of a request's time, in the order of their names. */
const partColours = [0, 4, 3, 2, 5] as const;

/** For each load where the mean time of a request goes, a bar for each core that measures it. */
export function phaseFigures({ levels }: Comparison): readonly Figure[] {
  const keys = partNames.map((name, part): Key => ({ name, colourIndex: partColours[part]!, mark: "bar" }));
  return levels.flatMap((level) => {
    const found = level.cells.flatMap((cell) => {
      const decomposition = decompositionOf(cell);
      return decomposition === null
        ? []
        : [{ core: cell.core, parts: partsOf(decomposition).map((micros) => (micros ?? 0) / 1000) }];
    });
    if (found.length === 0) return [];
    const said = found.map(
      ({ core, parts }) => `${core} ${parts.map((ms, part) => `${partNames[part]} ${significant(ms)}`).join(", ")}`,
    );
    return [
      {
        title: loadText(level),
        note: null,
        label: `Mean time of a request at ${spoken(level)} by where it goes, ms: ${said.join("; ")}`,
        keys,
        draw: (layout) =>
          renderStack(
            {
              xName: "Mean time of a request, ms",
              rows: found.map(({ core }) => core),
              parts: partColours.map((colourIndex, part) => ({
                colourIndex,
                values: found.map(({ parts }) => parts[part]!),
              })),
            },
            layout,
          ),
      },
    ];
  });
}
