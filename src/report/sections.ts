import { meanOf } from "../drivers/latency.js";
import { inFlight } from "../statistics/accounts.js";
import { median } from "../statistics/median.js";
import type { RanTrial } from "../statistics/saturation.js";
import { generatorShare, loopShare, serverCpus } from "../statistics/saturation.js";
import type { Load } from "../sweep/plan.js";
import { phases } from "../sweep/result.js";
import type { Cell } from "./cell.js";
import type { Comparison, Level, Ratios } from "./comparison.js";
import { differenceCell, doubtText } from "./difference-text.js";
import { reasonText, warningText } from "./findings-text.js";
import { estimate, loadText, percent, ratio, significant, whole } from "./format.js";
import { code, plain, table } from "./markdown.js";
import { type Metric, metrics, rankingMetric, speed } from "./metrics.js";
import type { Noise } from "./noise.js";

/** The tables of a report, each as a block of markdown. */

function ratioCell({ byMetric, speedBound }: Ratios, metric: Metric, isOpen: boolean): string {
  const found = byMetric[metric.key];
  if (metric === speed && isOpen) return "given";
  if (found === null && metric === speed && speedBound !== null) {
    const bound = ratio(speedBound.ratio.ratio, speedBound.ratio.interval);
    return `${speedBound.side === "at most" ? "≤" : "≥"} ${bound.value} ${bound.interval}`;
  }
  return found === null ? "not ranked" : differenceCell(found);
}

function heading({ core, verdict }: Cell): string {
  return verdict.valid ? plain(core) : `${plain(core)} (invalid)`;
}

/** All cores at one concurrency, in ab's terms, with the ratio of each to the base. */
export function levelTable({ cells, ratios, rate }: Level): string {
  const [base] = cells;
  const rows = metrics.map((metric) => [
    metric.label,
    ...cells.map(({ estimates, trials }) => {
      const { value, interval } = estimates[metric.key];
      return trials.length === 0 ? "–" : estimate(value, interval, metric.format);
    }),
    ...ratios.map((entry) => ratioCell(entry, metric, rate !== null)),
  ]);
  const errors = [
    "Failed requests (all trials)",
    ...cells.map(({ failedRequests, trials }) => (trials.length === 0 ? "–" : whole(failedRequests))),
    ...ratios.map(() => ""),
  ];
  return table(
    ["", ...cells.map(heading), ...ratios.map(({ core }) => `${plain(core)} ÷ ${plain(base?.core ?? "")}`)],
    [...rows, errors],
  );
}

/** Requests per second, tail and cost of every concurrency at a glance: ratios to the base only. */
export function overviewTable({ levels, sweep }: Comparison): string {
  const [base = "", ...others] = sweep.plan.cores;
  const keys = ["requestsPerSecond", "p99Ms", "cpuPerRequestMicros"] as const;
  const shown = keys.flatMap((key) => metrics.filter((metric) => metric.key === key));
  const titles = ["requests/s", "99% latency", "CPU per request"];
  return table(
    [
      levels.some(({ rate }) => rate !== null) ? "Load" : "Concurrency",
      ...others.flatMap((core) => titles.map((title) => `${plain(core)} ÷ ${plain(base)}: ${title}`)),
    ],
    levels.map(({ concurrency, rate, ratios }) => [
      rate === null ? String(concurrency) : loadText({ concurrency, rate }),
      ...ratios.flatMap((entry) => shown.map((metric) => ratioCell(entry, metric, rate !== null))),
    ]),
  );
}

/**
 * Where the time goes, for every cell: mean time in each phase inside the server, and what of the mean time of a request they leave
 * over: sockets, the kernel, and waiting for the main event loop or the generator. Medians over the trials.
 */
export function phasesTable({ levels }: Comparison): string {
  const rows = levels.flatMap(({ cells }) =>
    cells.flatMap(({ core, concurrency, rate, trials }) => {
      const measured = trials.flatMap(({ run, server }) => (server?.phases ? [{ run, phases: server.phases }] : []));
      if (measured.length === 0) return [];
      const over = (value: (trial: (typeof measured)[number]) => number): string =>
        significant(median(measured.map(value)));
      const request = ({ run }: (typeof measured)[number]): number => meanOf(run.latency.total) / 1000;
      const inside = ({ phases: means }: (typeof measured)[number]): number =>
        phases.reduce((sum, name) => sum + means[name], 0);
      return [
        [
          `${plain(core)}, ${loadText({ concurrency, rate })}`,
          ...phases.map((name) => over((trial) => trial.phases[name])),
          over((trial) => request(trial) - inside(trial)),
          over(request),
        ],
      ];
    }),
  );
  return table(["Mean, µs", "In the ring", "Handler", "Way back", "Write", "Outside", "Whole request"], rows);
}

/** The cell of a core measured a second time, beside the others under the same load. */
function twinCells(noise: Noise | null, load: Load): readonly Cell[] {
  return (
    noise?.levels
      .filter(({ concurrency, rate }) => concurrency === load.concurrency && rate === load.rate)
      .map(({ cell }) => cell) ?? []
  );
}

/** How full both sides were and whether the books add up, for every cell. */
export function validityTable({ levels, noise }: Comparison): string {
  const over = (cell: Cell, of: (trial: RanTrial) => number, format: (value: number) => string): string =>
    cell.trials.length === 0 ? "–" : format(median(cell.trials.map(of)));
  return table(
    ["Cell", "Verdict", "Trials", "Requests sent", "Failed", "In flight", "Server CPUs", "Server loop", "Generator"],
    levels.flatMap((level) =>
      [...level.cells, ...twinCells(noise, level)].map((cell) => [
        `${plain(cell.core)}, ${loadText(cell)}`,
        cell.verdict.valid ? "valid" : "invalid",
        String(cell.trials.length),
        whole(cell.sentRequests),
        whole(cell.failedRequests),
        over(cell, ({ run }) => inFlight(run), significant),
        over(cell, serverCpus, (cpus) => (Number.isFinite(cpus) ? cpus.toFixed(2) : "–")),
        over(cell, loopShare, percent),
        over(cell, generatorShare, percent),
      ]),
    ),
  );
}

/** One list entry per finding: the reasons of invalid cells first. Empty where there is nothing to say. */
export function findingsList({ levels, noise }: Comparison): readonly string[] {
  const cells = levels.flatMap((level) => [...level.cells, ...twinCells(noise, level)]);
  const name = (cell: Cell): string => `${plain(cell.core)} at ${loadText(cell)}`;
  return [
    ...cells.flatMap((cell) =>
      cell.verdict.reasons.map(
        (reason) => `- **${name(cell)} is invalid and not ranked:** ${plain(reasonText(reason))}.`,
      ),
    ),
    ...cells.flatMap((cell) =>
      cell.verdict.warnings.map((warning) => `- ${name(cell)}: ${plain(warningText(warning))}.`),
    ),
  ];
}

/**
 * The verdict on every comparison that ranks in words: why no difference is called, or how significant one is. Empty where nothing could
 * be compared.
 */
export function verdictsTable({ levels, sweep }: Comparison): string {
  const [base = ""] = sweep.plan.cores;
  const title = `Requests per second${sweep.plan.openLoop === undefined ? "" : "; at a given rate: 99% latency"}`;
  const rows = levels.flatMap((level) =>
    level.ratios.map(({ core, byMetric, speedBound }) => {
      const found = byMetric[rankingMetric(level).key] ?? speedBound?.ratio ?? null;
      return [
        `${plain(core)} ÷ ${plain(base)}, ${loadText(level)}`,
        found === null ? "not ranked" : found.verdict,
        found === null ? "–" : significant(found.p),
        found === null ? "–" : significant(found.correctedP),
        found === null
          ? "a cell is invalid"
          : plain(found.doubts.map(doubtText).join("; ") || "significant, and the interval leaves out 1"),
      ];
    }),
  );
  return table([title, "Verdict", "p (Wilcoxon)", "p (Holm)", "Why"], rows);
}

export function environmentTable({ sweep }: Comparison): string {
  const { environment: machine, plan } = sweep;
  const { pinning } = plan;
  const cpus = (list: string | null): string => (list === null ? "not pinned" : `CPU ${list}`);
  return table(
    ["", "Measured on"],
    [
      ["CPU", plain(machine.cpuModel)],
      ["CPUs", String(machine.cores)],
      ["Memory", `${significant(machine.memoryBytes / 2 ** 30)} GiB`],
      ["System", plain(`${machine.platform}, kernel ${machine.kernel}`)],
      ["Node.js", plain(`${machine.node} (V8 ${machine.v8}, libuv ${machine.uv})`)],
      ["uWebSockets.js", plain(machine.uws)],
      ["loopool", plain(`${machine.loopool}, commit ${machine.commit}`)],
      ["Open files allowed", machine.openFilesLimit === null ? "unknown" : whole(machine.openFilesLimit)],
      ["Load average before", machine.loadAverage.toFixed(2)],
      ["Server / generator", `${cpus(pinning.server)} / ${cpus(pinning.generator)}`],
      ["Workers of the cores that have them", String(plan.workers)],
      ["Started / finished", `${plain(sweep.startedAt)} / ${plain(sweep.finishedAt ?? "unfinished")}`],
      [
        "Trials",
        `${plan.trials} per cell${plan.twin === undefined ? "" : ` (and the ${plain(plan.twin.of)} once more, A/A)`}, ${plan.openLoop?.shares === null ? "" : `${whole(plan.requests)} requests each `}after ${whole(plan.warmupRequests)} of warm-up${plan.openLoop === undefined ? "" : " at most"}`,
      ],
      ["Request", `${code(`GET ${plan.path}`)}, ${plan.keepAlive ? "keep-alive" : "a new connection per request"}`],
      ["Handlers", plan.handlers === null ? "built-in" : code(plan.handlers)],
      ["Seed", String(plan.seed)],
      ...(plan.targets ?? []).map(({ name, url }) => [
        plain(name),
        `${code(url)}, which ran already, where its owner put it, and was not restarted between trials`,
      ]),
      ...(plan.openLoop === undefined ? [] : [["Open loops", `${significant(plan.openLoop.seconds)} s each`]]),
    ],
  );
}
