import { Presets, SingleBar } from "cli-progress";
import { loadText } from "../report/format.js";
import { oneLine } from "../shared/terminal-text.js";
import { failedRequests } from "../statistics/accounts.js";
import type { PlannedTrial } from "../sweep/plan.js";
import type { TrialResult } from "../sweep/result.js";
import type { SweepProgress } from "../sweep/sweep.js";

/** A bar in a terminal, plain lines elsewhere; `end`, as often as one likes, leaves the terminal as it was. */
export function sweepProgress(stream: NodeJS.WriteStream): SweepProgress & { end(): void } {
  return stream.isTTY ? barProgress(stream) : lineProgress(stream);
}

function barProgress(stream: NodeJS.WriteStream): SweepProgress & { end(): void } {
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

function lineProgress(stream: NodeJS.WriteStream): SweepProgress & { end(): void } {
  return {
    trialStarts() {},
    trialEnded(trial, { finished, planned, remainingMs }) {
      stream.write(`${finished}/${planned} ${describe(trial)}: ${outcome(trial)}${left(remainingMs)}\n`);
    },
    end() {},
  };
}

function describe(trial: PlannedTrial): string {
  return `block ${trial.block + 1}, ${oneLine(trial.core)}, ${loadText(trial)}`;
}

function outcome({ run, failure }: TrialResult): string {
  if (run === null) return `failed: ${oneLine(failure ?? "")}`;
  const failed = failedRequests(run);
  const rate = Math.round(run.completed / run.elapsedSeconds).toLocaleString("en");
  return `${rate} requests/s${failed > 0 ? `, ${failed} errors` : ""}`;
}

function left(remainingMs: number | null): string {
  if (remainingMs === null || remainingMs === 0) return "";
  const seconds = Math.ceil(remainingMs / 1000);
  return seconds < 60 ? `, ${seconds} s left` : `, ${Math.floor(seconds / 60)} min ${seconds % 60} s left`;
}
