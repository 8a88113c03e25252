import { Presets, SingleBar } from "cli-progress";
import { requestsPerSecond } from "../harness/drivers/rate.js";
import { Histogram } from "../harness/load/histogram/histogram.js";
import { counted, loadText } from "../harness/report/format.js";
import type { FirstAnswer, Probe } from "../harness/sweep/check.js";
import { estimatedSeconds } from "../harness/sweep/estimate.js";
import { type PlannedTrial, planTrials, warmUpSeconds } from "../harness/sweep/plan.js";
import type { SweepPlan, TrialResult } from "../harness/sweep/result.js";
import type { SweepState } from "../harness/sweep/sweep.js";
import { failedRequests } from "../harness/validity/accounting.js";
import { oneLine } from "../shared/terminal-text.js";

/** The progress of a sweep, or of what else runs trials. */
interface TrialProgress<Trial extends PlannedTrial> {
  trialStarts(trial: Trial, state: SweepState): void;
  trialEnded(trial: Trial & TrialResult, state: SweepState): void;
  end(): void;
}

/** A bar in a terminal, plain lines elsewhere; `end`, as often as one likes, leaves the terminal as it was. */
export function sweepProgress<Trial extends PlannedTrial = PlannedTrial>(
  stream: NodeJS.WriteStream,
  describe: (trial: Trial) => string = describeTrial,
): TrialProgress<Trial> {
  return stream.isTTY ? barProgress(stream, describe) : lineProgress(stream, describe);
}

function barProgress<Trial extends PlannedTrial>(
  stream: NodeJS.WriteStream,
  describe: (trial: Trial) => string,
): TrialProgress<Trial> {
  const bar = new SingleBar(
    { stream, format: "{bar} {value}/{total} {what}", hideCursor: true, clearOnComplete: true, gracefulExit: false },
    Presets.shades_classic,
  );
  return {
    trialStarts(trial, { finished, planned, remainingMs }) {
      if (!bar.isActive) bar.start(planned, finished, { what: "" });
      // With --until the plan grows.
      bar.setTotal(planned);
      bar.update(finished, { what: `${describe(trial)}${left(remainingMs)}` });
    },
    trialEnded(_trial, { finished }) {
      bar.update(finished);
    },
    end() {
      bar.stop();
    },
  };
}

function lineProgress<Trial extends PlannedTrial>(
  stream: NodeJS.WriteStream,
  describe: (trial: Trial) => string,
): TrialProgress<Trial> {
  return {
    trialStarts() {},
    trialEnded(trial, { finished, planned, remainingMs }) {
      stream.write(`${finished}/${planned} ${describe(trial)}: ${outcome(trial)}${left(remainingMs)}\n`);
    },
    end() {},
  };
}

/** Of a trial, in a line of the terminal. */
const MAX_KINDS_SHOWN = 4;

function describeTrial(trial: PlannedTrial): string {
  return `block ${trial.block + 1}, ${oneLine(trial.core)}, ${loadText(trial)}`;
}

function outcome({ run, failure }: TrialResult): string {
  if (run === null) return `failed: ${oneLine(failure ?? "")}`;
  const failed = failedRequests(run);
  const rate = Math.round(requestsPerSecond(run)).toLocaleString("en");
  const kinds = (run.kinds ?? []).slice(0, MAX_KINDS_SHOWN).map(({ name, total }) => {
    const p99Ms = Histogram.fromStored(total).valueAtPercentile(99) / 1e6;
    return `${oneLine(name)} ${total.count === 0 ? "–" : p99Ms.toPrecision(3)}`;
  });
  const perKind = kinds.length === 0 ? "" : `, 99% in ms: ${kinds.join(", ")}`;
  const statuses = Object.keys(run.statusCounts ?? {}).filter((status) => !status.startsWith("2"));
  const why = statuses.length === 0 ? "" : ` (status ${statuses.join(", ")})`;
  return `${rate} requests/s${failed > 0 ? `, ${failed} errors${why}` : ""}${perKind}`;
}

function left(remainingMs: number | null): string {
  if (remainingMs === null || remainingMs === 0) return "";
  const seconds = Math.ceil(remainingMs / 1000);
  return seconds < 60 ? `, ${seconds} s left` : `, ${Math.floor(seconds / 60)} min ${seconds % 60} s left`;
}

/** What each server answered to the first request of each kind. */
export function answersText(answers: readonly FirstAnswer[]): string {
  const requests = [...new Set(answers.map(({ request }) => request))];
  const lines = requests.map((request) => {
    const own = answers.filter((answer) => answer.request === request);
    const texts = own.map(({ name, status, bodyBytes }) => `${name} ${status}, ${counted(bodyBytes, "byte")}`);
    return `${request}: ${texts.join("; ")}`;
  });
  return lines.map(oneLine).join("\n");
}

/** About how long a sweep will take, and what that rests on, before its first trial. */
export function estimateText(plan: SweepPlan, probes: readonly Probe[]): string {
  const seconds = estimatedSeconds(plan, probes);
  const speeds = probes.map(({ name, requestsPerSecond }) => {
    const speed =
      requestsPerSecond < 100 ? requestsPerSecond.toPrecision(2) : Math.round(requestsPerSecond).toLocaleString("en");
    return `${name} ${speed} requests/s`;
  });
  const each =
    plan.seconds === undefined ? "" : ` of ${plan.seconds} s after ${warmUpSeconds(plan.seconds)} s of warm-up`;
  const more = plan.until === undefined ? "" : ", and more with --until";
  const length = seconds === null ? "How long it takes is not known" : `About ${roughly(seconds)}`;
  const probed = speeds.length === 0 ? "" : ` By a short probe: ${speeds.join(", ")}.`;
  return `${length}: ${counted(planTrials(plan).length, "trial")}${each}${more}.${probed}`;
}

export function roughly(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} hours`;
}
