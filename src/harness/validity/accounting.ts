import { meanGrainOf, meanOf } from "../drivers/latency.js";
import { completedInWindow, windowSeconds } from "../drivers/rate.js";
import type { GeneratorResult } from "../drivers/result.js";
import { type ErrorClass, errorClasses, unsentClasses } from "../load/result/run-result.js";
import { type Reason, thresholds, type Warning } from "./diagnostics.js";
import type { RanTrial } from "./saturation.js";

/** Requests of a run that are not a success, all classes together. */
export function failedRequests(run: GeneratorResult): number {
  return errorClasses.reduce((sum, errorClass) => sum + run.errors[errorClass], 0);
}

/** Requests that reached a connection, so that the server can have seen them. */
function reachable(run: GeneratorResult): number {
  return unsentClasses.reduce((count, errorClass) => count - run.errors[errorClass], run.sent);
}

/**
 * Requests in flight on average over the window: summed latency, as far as it lies in the window, ÷ its length. The total latency, because
 * with keep-alive the first request of each connection, and without it every request, also holds its connection while it connects. NaN
 * where the generator does not tell it.
 */
export function inFlight(run: GeneratorResult): number {
  const seconds = (meanOf(run.latency.total) * run.completed) / 1e9;
  return (seconds - (run.window?.latencyAfterSeconds ?? 0)) / windowSeconds(run);
}

/**
 * The fewest requests in flight that Little's law allows. All connections are busy to the end of the window, so only the turn-around is
 * allowed for. A run without a window of its own ends with its last answer: there the connections fall idle one after another, for no
 * longer than the slowest answer takes, and that share of it is allowed besides.
 */
function lowestInFlight(run: GeneratorResult): number {
  const runOut = run.window === undefined ? (run.latency.total?.max ?? 0) / 1e9 / run.elapsedSeconds : 0;
  return run.concurrency * Math.max(0, 1 - thresholds.littleGap - runOut);
}

/** By how much a run breaks Little's law, in requests in flight; 0 where its mean latency is not told, or too coarsely to say. */
function littleBroken(run: GeneratorResult): number {
  const found = inFlight(run);
  const grain = (meanGrainOf(run.latency.total) * run.completed) / 1e9 / windowSeconds(run);
  const most = run.concurrency * (1 + thresholds.littleExcess);
  return Math.max(0, lowestInFlight(run) - found - grain, found - most - grain) || 0;
}

/** The share of a closed loop's successes that came only after a window of given length: what the rate may be off by. */
function completedLate(run: GeneratorResult): number {
  if (run.loop === "open" || run.requestedSeconds === undefined || run.completed === 0) return 0;
  return 1 - completedInWindow(run) / run.completed;
}

/** By how many requests the server's count differs from the generator's, beyond what a tool may have left uncounted. */
function serverCountOff({ run, server }: RanTrial): number {
  if (server === null) return 0;
  const more = server.requests - reachable(run);
  const uncounted = "tool" in run ? run.tool.uncountedAtMost : 0;
  return more < 0 ? -more : Math.max(0, more - uncounted);
}

/** The trials that `broken` measures above 0 and the worst of them; null when there are none. */
function worst(
  trials: readonly RanTrial[],
  broken: (trial: RanTrial) => number,
): { trial: RanTrial; trials: number } | null {
  const bad = trials.filter((trial) => broken(trial) > 0);
  const [first, ...rest] = bad;
  if (first === undefined) return null;
  return { trial: rest.reduce((a, b) => (broken(b) > broken(a) ? b : a), first), trials: bad.length };
}

/** A rule of the accounting: by how much a trial breaks it (0: it holds), and the reason that says so. */
interface Rule {
  readonly broken: (trial: RanTrial) => number;
  readonly reason: (trial: RanTrial, trials: number) => Reason;
}

/** One trial that does not add up is enough: what is wrong in it is not known to be right in the others. */
const rules: readonly Rule[] = [
  {
    broken: ({ run }) => Math.abs(run.requested - run.sent),
    reason: ({ run }, trials) => ({ code: "stopped-early", trials, asked: run.requested, sent: run.sent }),
  },
  {
    broken: ({ run }) => Math.abs(run.sent - run.completed - failedRequests(run)),
    reason: ({ run }, trials) => ({
      code: "generator-count",
      trials,
      sent: run.sent,
      completed: run.completed,
      failed: failedRequests(run),
    }),
  },
  {
    broken: ({ run }) => (run.latency.total === null ? 0 : Math.abs(run.completed - run.latency.total.count)),
    reason: ({ run }, trials) => ({
      code: "latency-count",
      trials,
      completed: run.completed,
      recorded: run.latency.total?.count ?? 0,
    }),
  },
  {
    broken: serverCountOff,
    reason: ({ run, server }, trials) => ({
      code: "server-count",
      trials,
      server: server?.requests ?? 0,
      generator: reachable(run),
    }),
  },
  {
    // Without keep-alive a fast server is done with the first connections before the last are made.
    broken: ({ run }) => (run.keepAlive ? run.concurrency - (run.peakConnections ?? run.concurrency) : 0),
    reason: ({ run }, trials) => ({
      code: "connections",
      trials,
      asked: run.concurrency,
      peak: run.peakConnections ?? run.concurrency,
    }),
  },
  {
    broken: ({ run }) => (run.keepAlive ? run.completed - (run.keepAliveResponses ?? run.completed) : 0),
    reason: ({ run }, trials) => ({
      code: "keep-alive-lost",
      trials,
      completed: run.completed,
      kept: run.keepAliveResponses ?? run.completed,
    }),
  },
  {
    broken: ({ run }) => (completedLate(run) > thresholds.lateInvalid ? completedLate(run) : 0),
    reason: ({ run }, trials) => ({
      code: "window-too-short",
      trials,
      seconds: windowSeconds(run),
      late: completedLate(run),
    }),
  },
  {
    // The latencies of failed requests are not recorded, so a run with errors cannot be tested; it is invalid already. An open loop has as
    // many in flight as its rate makes.
    broken: ({ run }) => (failedRequests(run) > 0 || run.loop === "open" ? 0 : littleBroken(run)),
    reason: ({ run }, trials) => ({
      code: "littles-law",
      trials,
      concurrency: run.concurrency,
      inFlight: inFlight(run),
      lowest: lowestInFlight(run),
    }),
  },
];

/** Responses outside 2xx, by status. */
function unexpectedStatuses(trials: readonly RanTrial[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const [status, count] of trials.flatMap(({ run }) => Object.entries(run.statusCounts ?? {}))) {
    if (!status.startsWith("2")) counts[status] = (counts[status] ?? 0) + count;
  }
  return counts;
}

/** Do the counts of these trials add up? A reason for each rule that one of them breaks. */
export function audit(trials: readonly RanTrial[]): readonly Reason[] {
  const reasons: Reason[] = [];
  const failed = trials.reduce((sum, { run }) => sum + failedRequests(run), 0);
  if (failed > 0) {
    const byClass: Partial<Record<ErrorClass, number>> = {};
    for (const errorClass of errorClasses) {
      const count = trials.reduce((sum, { run }) => sum + run.errors[errorClass], 0);
      if (count > 0) byClass[errorClass] = count;
    }
    const byStatus = unexpectedStatuses(trials);
    const serverErrors = trials.find(({ run, serverErrors }) => serverErrors && failedRequests(run) > 0)?.serverErrors;
    reasons.push({
      code: "errors",
      sent: trials.reduce((sum, { run }) => sum + run.sent, 0),
      failed,
      byClass,
      ...(Object.keys(byStatus).length === 0 ? {} : { byStatus }),
      ...(serverErrors === undefined ? {} : { serverErrors }),
    });
  }
  for (const rule of rules) {
    const found = worst(trials, rule.broken);
    if (found !== null) reasons.push(rule.reason(found.trial, found.trials));
  }
  return reasons;
}

function lengthsVary(trials: readonly RanTrial[]): readonly Warning[] {
  const found = trials.flatMap(({ run }) => run.bodyLengths ?? []);
  if (found.length === 0) return [];
  const [shortest, longest] = [
    Math.min(...found.map((one) => one.shortest)),
    Math.max(...found.map((one) => one.longest)),
  ];
  return [{ code: "lengths-vary", trials: found.length, shortest, longest }];
}

/** What a reader must know of the accounting of trials that are valid all the same. */
export function cautions(trials: readonly RanTrial[]): readonly Warning[] {
  const late = ({ run }: RanTrial): number => (completedLate(run) > thresholds.lateNoted ? completedLate(run) : 0);
  const found = worst(trials, late);
  const lengths = lengthsVary(trials);
  if (found === null || late(found.trial) > thresholds.lateInvalid) return lengths;
  return [
    ...lengths,
    { code: "window-short", trials: found.trials, seconds: windowSeconds(found.trial.run), late: late(found.trial) },
  ];
}
