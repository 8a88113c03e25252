import { median } from "../statistics/median.js";
import { requestText } from "../sweep/plan.js";
import type { Environment, SweepPlan, SweepResult } from "../sweep/result.js";
import { inFlight } from "../validity/accounting.js";
import { generatorShare, loopShare, type RanTrial, serverCpus } from "../validity/saturation.js";
import type { Cell } from "./cell.js";
import { allCells, type Comparison } from "./comparison.js";
import { reasonText, warningText } from "./diagnostic-text.js";
import { counted, loadText, percent, significant, whole } from "./format.js";
import type { Table } from "./table.js";

/** What a report says of how its figures came about: whether they may be believed, and where they were measured. */

/** How full both sides were and whether the counts add up, for every cell. */
export function validityTable(comparison: Comparison): Table {
  const over = (cell: Cell, of: (trial: RanTrial) => number, format: (value: number) => string): string =>
    cell.trials.length === 0 ? "–" : format(median(cell.trials.map(of)));
  return {
    header: [
      "Cell",
      "Verdict",
      "Trials",
      "Requests sent",
      "Failed",
      "In flight",
      "Server CPUs",
      "Server loop",
      "Generator",
    ],
    rows: allCells(comparison).map((cell) => [
      `${cell.core}, ${loadText(cell)}`,
      cell.verdict.valid ? "valid" : "invalid",
      String(cell.trials.length),
      whole(cell.sentRequests),
      whole(cell.failedRequests),
      over(cell, ({ run }) => inFlight(run), significant),
      over(cell, serverCpus, (cpus) => (Number.isFinite(cpus) ? cpus.toFixed(2) : "–")),
      over(cell, loopShare, percent),
      over(cell, generatorShare, percent),
    ]),
  };
}

/** A finding about a cell in words, without a full stop. */
export interface DiagnosticText {
  readonly cell: string;
  /** It makes the cell invalid; else it is what a reader of a valid cell must know. */
  readonly invalidates: boolean;
  readonly text: string;
}

/** The reasons of invalid cells first. Empty where there is nothing to say. */
export function diagnosticsOf(comparison: Comparison): readonly DiagnosticText[] {
  const cells = allCells(comparison).map((cell) => ({
    cell: `${cell.core} at ${loadText(cell)}`,
    verdict: cell.verdict,
  }));
  return [
    ...cells.flatMap(({ cell, verdict }) =>
      verdict.reasons.map((reason) => ({ cell, invalidates: true, text: reasonText(reason) })),
    ),
    ...cells.flatMap(({ cell, verdict }) =>
      verdict.warnings.map((warning) => ({ cell, invalidates: false, text: warningText(warning) })),
    ),
  ];
}

/** "100,000 requests each after 20,000 of warm-up". */
function windowText({ requests, warmupRequests, seconds, openLoop }: SweepPlan): string {
  const open = openLoop === undefined ? null : `open loops ${significant(openLoop.seconds)} s each`;
  if (openLoop?.shares === null) return open!;
  const closed =
    seconds === undefined
      ? `${whole(requests)} requests each after ${whole(warmupRequests)} of warm-up`
      : `${significant(seconds)} s each after half as long a warm-up`;
  return open === null ? closed : `${closed}; ${open}`;
}

/** Which load generator it was, and what another one than ours is known to misreport. */
function generatorRows({ plan, trials }: SweepResult): readonly (readonly string[])[] {
  const { driver, threads = 1 } = plan;
  const sending = threads === 1 ? "" : `, ${whole(threads)} threads`;
  if (driver === undefined) return [["Load generator", `loopool's own${sending}`]];
  const tool = trials.flatMap(({ run }) => (run !== null && "tool" in run ? [run.tool] : []))[0];
  return [
    ["Load generator", `${driver} ${tool?.version ?? ""}${sending}`],
    ...(tool?.caveats ?? []).map((caveat) => [`To know of ${driver}`, caveat]),
  ];
}

/** The machine and its Node. */
export function machineRows(machine: Environment): readonly (readonly string[])[] {
  return [
    ["CPU", machine.cpuModel],
    ["CPUs", String(machine.cores)],
    ...(machine.cpuQuota == null ? [] : [["CPU quota", `${significant(machine.cpuQuota)} CPUs, by control group`]]),
    ["Memory", `${significant(machine.memoryBytes / 2 ** 30)} GiB`],
    ["System", `${machine.platform}, kernel ${machine.kernel}`],
    ["Node.js", `${machine.node} (V8 ${machine.v8}, libuv ${machine.uv})`],
  ];
}

export function environmentTable({ sweep }: Comparison): Table {
  const { environment: machine, plan } = sweep;
  const { pinning } = plan;
  const cpus = (list: string | null): string => (list === null ? "not pinned" : `CPU ${list}`);
  const again = plan.control === undefined ? "" : ` (and the ${plan.control.of} once more, A/A)`;
  return {
    header: ["", "Measured on"],
    rows: [
      ...machineRows(machine),
      ...(plan.adapter === undefined ? [] : [["Adapter", plan.adapter]]),
      ["uWebSockets.js", machine.uws],
      ["loopool", `${machine.loopool}, commit ${machine.commit}`],
      ...(plan.against === undefined
        ? []
        : [[`loopool behind @${plan.against.label}`, { code: `${plan.against.from} ${plan.against.source}` }]]),
      ["Open files allowed", machine.openFilesLimit === null ? "unknown" : whole(machine.openFilesLimit)],
      ["Load average before", machine.loadAverage.toFixed(2)],
      ...(plan.serverCpus === undefined
        ? [
            ["Server / generator", `${cpus(pinning.server)} / ${cpus(pinning.generator)}`],
            ["Workers of the cores that have them", String(plan.workers)],
          ]
        : plan.serverCpus.map(({ cpus: count, pinning: own, workers }) => [
            `Server / generator, ${counted(count, "CPU")}`,
            `${cpus(own.server)} / ${cpus(own.generator)}; workers of the cores that have them: ${workers}`,
          ])),
      ["Started / finished", `${sweep.startedAt} / ${sweep.finishedAt ?? "unfinished"}`],
      ["Trials", `${plan.trials} per cell${again}, ${windowText(plan)}`],
      ["Request", { code: requestText(plan) }],
      ["Connections", plan.keepAlive ? "kept alive" : "a new one for each request"],
      ["Handlers", plan.handlers === null ? "built-in" : { code: plan.handlers }],
      ...(machine.nodeEnv === undefined ? [] : [["NODE_ENV", machine.nodeEnv] as const]),
      ["Seed", String(plan.seed)],
      ...generatorRows(sweep),
      ...(plan.targets ?? []).flatMap(({ name, url }) => [
        [name, { code: url }],
        [`${name} ran`, "already, where its owner put it; not restarted between trials"],
      ]),
    ],
  };
}
