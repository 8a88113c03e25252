import { meanOf } from "../drivers/latency.js";
import { median } from "../statistics/median.js";
import { type PhaseMeans, phases } from "../sweep/result.js";
import type { Cell } from "./cell.js";
import type { Comparison } from "./comparison.js";
import { loadText, significant } from "./format.js";
import type { Table } from "./table.js";

/**
 * Where the time of a request goes, µs, medians over the trials: the mean of each phase inside the server, and what of the mean time of a
 * request these leave over: sockets, the kernel, and waiting for the main event loop or the generator.
 */
export interface Decomposition {
  readonly phases: PhaseMeans;
  /** null where the phases of the sample are longer than the mean request: too few were measured to tell. */
  readonly outside: number | null;
  readonly request: number;
}

/** What a reader calls the parts, in order. */
export const partNames = ["In the ring", "Handler with its waits", "Way back", "Write", "Outside"] as const;

/** null where the server measured no phases: its core does not, or it is not ours. */
export function decompositionOf({ trials }: Cell): Decomposition | null {
  const measured = trials.flatMap(({ run, server }) =>
    server?.phases ? [{ request: meanOf(run.latency.total) / 1000, phases: server.phases }] : [],
  );
  if (measured.length === 0) return null;
  const over = (value: (trial: (typeof measured)[number]) => number): number => median(measured.map(value));
  const outside = over((trial) => trial.request - phases.reduce((sum, name) => sum + trial.phases[name], 0));
  return {
    phases: Object.fromEntries(phases.map((name) => [name, over((trial) => trial.phases[name])])) as PhaseMeans,
    outside: outside < 0 ? null : outside,
    request: over(({ request }) => request),
  };
}

/** The parts of a decomposition in the order of their names. */
export function partsOf({ phases: means, outside }: Decomposition): readonly (number | null)[] {
  return [...phases.map((name) => means[name]), outside];
}

/** The decomposition of every cell that has one. */
export function phasesTable({ levels }: Comparison): Table {
  return {
    header: ["Mean, µs", ...partNames, "Whole request"],
    rows: levels.flatMap(({ cells }) =>
      cells.flatMap((cell) => {
        const found = decompositionOf(cell);
        if (found === null) return [];
        return [[`${cell.core}, ${loadText(cell)}`, ...[...partsOf(found), found.request].map(microsText)]];
      }),
    ),
  };
}

function microsText(micros: number | null): string {
  return micros === null ? "–" : significant(micros);
}
