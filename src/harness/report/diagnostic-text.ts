import { type Reason, thresholds, type Warning } from "../validity/diagnostics.js";
import { counted, listed, percent, significant, whole } from "./format.js";

/** " (worst of 3 trials)" where more than one trial shows it. */
function worstOf(trials: number): string {
  return trials > 1 ? ` (worst of ${whole(trials)} trials)` : " (in one trial)";
}

/** What is known of the server's share of its limit. */
function serverText(share: number | null): string {
  return share === null ? "and how busy the server was is not known" : `the server ${percent(share)}`;
}

/** " with status 503", with their numbers where there are several; "" where there is none. */
function statusText(byStatus: Readonly<Record<string, number>>): string {
  const found = Object.entries(byStatus);
  if (found.length === 0) return "";
  const one = found.length === 1;
  return ` with status ${listed(found.map(([status, count]) => (one ? status : `${status} (${whole(count)})`)))}`;
}

/** What a window that is short beside the latencies does to the rate. */
function lateText({ seconds, late }: { readonly seconds: number; readonly late: number }): string {
  return (
    `${percent(late)} of the requests came only after its ${significant(seconds)} s, and the rate may be off by as much: ` +
    "use a longer --duration"
  );
}

/** Why a cell is invalid, in one sentence without a full stop. Text of the sweep (`failure`) is passed through as it is. */
export function reasonText(reason: Reason): string {
  switch (reason.code) {
    case "trials-missing":
      return `${whole(reason.finished)} of ${counted(reason.planned, "planned trial")} finished`;
    case "trial-failed":
      return `${counted(reason.trials, "trial")} failed: ${reason.failure}`;
    case "errors": {
      const classes = Object.entries(reason.byClass).map(([name, count]) => `${name} ${whole(count)}`);
      return [
        `${whole(reason.failed)} of ${whole(reason.sent)} requests failed: ${listed(classes)}`,
        statusText(reason.byStatus ?? {}),
        ...(reason.serverErrors === undefined ? [] : [`; the server said: ${reason.serverErrors}`]),
      ].join("");
    }
    case "stopped-early":
      return `${whole(reason.sent)} of ${whole(reason.asked)} requests were sent${worstOf(reason.trials)}`;
    case "generator-count":
      return `the counts of the generator do not add up: ${whole(reason.sent)} sent, ${whole(reason.completed)} completed, ${whole(reason.failed)} failed${worstOf(reason.trials)}`;
    case "latency-count":
      return `${whole(reason.recorded)} latencies for ${whole(reason.completed)} completed requests${worstOf(reason.trials)}`;
    case "server-count":
      return `the server counted ${whole(reason.server)} requests, the generator ${whole(reason.generator)}${worstOf(reason.trials)}`;
    case "connections":
      return `${whole(reason.peak)} of ${whole(reason.asked)} connections were open at one time${worstOf(reason.trials)}`;
    case "keep-alive-lost":
      return `keep-alive was asked for, and ${whole(reason.completed - reason.kept)} of ${whole(reason.completed)} responses ended their connection${worstOf(reason.trials)}`;
    case "littles-law":
      return (
        `Little's law is broken: the latencies account for ${significant(reason.inFlight)} requests in flight on ` +
        `${counted(reason.concurrency, "connection")}, at least ${significant(reason.lowest)} and at most the connections are allowed${worstOf(reason.trials)}`
      );
    case "window-too-short":
      return `the window was too short: ${lateText(reason)}${worstOf(reason.trials)}`;
    case "generator-limited":
      return `the load generator was the limit: it was ${percent(reason.generatorShare)} busy, ${serverText(reason.serverShare)} (full is ${percent(thresholds.full)})`;
    case "generator-late":
      return `the load generator itself was late: by ${significant(reason.pacingMs)} ms in its 99th percentile, that of the latency is ${significant(reason.latencyMs)} ms`;
  }
}

/** What a reader must know of a valid cell, in one sentence without a full stop. */
export function warningText(warning: Warning): string {
  switch (warning.code) {
    case "generator-near-limit":
      return (warning.serverShare ?? 0) >= thresholds.full
        ? `the server was full (${percent(warning.serverShare ?? 0)}), and the generator nearly so (${percent(warning.generatorShare)}): ` +
            "a faster generator might find a larger difference, and latencies include the generator's own queue"
        : `the generator was ${percent(warning.generatorShare)} busy, ${serverText(warning.serverShare)}: ` +
            "latencies include some of the generator's own queue";
    case "generator-somewhat-late":
      return `the load generator itself was late by ${significant(warning.pacingMs)} ms in its 99th percentile, which is part of the ${significant(warning.latencyMs)} ms of the latency`;
    case "window-short":
      return `the window was short: ${lateText(warning)}${worstOf(warning.trials)}`;
    case "overloaded":
      return `it did not keep up: ${whole(warning.achievedRate)} of ${whole(warning.rate)} requests per second were sent${worstOf(warning.trials)}, so latencies grow with the length of the trial`;
    case "tail-too-short":
      return (
        `trials of ${whole(warning.requests)} requests are short for a 99th percentile at ${percent(warning.load)} of the server's capacity: ` +
        `${warning.even ? "if requests came at random, it were" : "it is"} too low by about ${percent(warning.bias)}; take a --duration of ${whole(warning.seconds)} or more`
      );
    case "lengths-vary":
      return `bodies had ${whole(warning.shortest)} to ${whole(warning.longest)} bytes: what was served is not the same each time`;
    case "connections-short":
      return (
        `${whole(warning.waited)} of ${counted(warning.sent, "request")} found all ${counted(warning.concurrency, "connection")} busy when they were ` +
        `due${worstOf(warning.trials)}: latencies hold the wait for one; a higher --concurrency shows the server's queue alone`
      );
    case "disturbed":
      return (
        `${counted(warning.trials, "trial")} far from the others (${whole(warning.requestsPerSecond)} requests per second, the median is ` +
        `${whole(warning.median)}): something else may have run beside it, or the server stalled`
      );
    case "generator-on-server-cpus":
      return `the load generator ran on the server's ${counted(warning.cpus, "CPU")} and kept ${significant(warning.generatorCpus)} of them busy`;
    case "shared-cpus":
      return (
        `server and generator shared ${counted(warning.cpus, "CPU")} and kept ${significant(warning.busyCpus)} busy: ` +
        "what one used the other lacked, so compare the CPU per request too"
      );
  }
}
