import type { ErrorClass } from "../load/result/run-result.js";

/**
 * Findings about a cell (one core at one concurrency), as data: the report words them. `trials` is how many trials show the
 * finding; the other numbers are those of the worst of them, unless said otherwise.
 */

/** Why a cell is invalid: it is printed, never ranked. */
export type Reason =
  | { readonly code: "trials-missing"; readonly planned: number; readonly finished: number }
  | { readonly code: "trial-failed"; readonly trials: number; readonly failure: string }
  /** Summed over all trials of the cell. */
  | {
      readonly code: "errors";
      readonly sent: number;
      readonly failed: number;
      readonly byClass: Readonly<Partial<Record<ErrorClass, number>>>;
      /** Responses outside 2xx by status; absent where there were none. */
      readonly byStatus?: Readonly<Record<string, number>>;
      /** What the server of one of these trials wrote to standard error; absent where it wrote nothing. */
      readonly serverErrors?: string;
    }
  | { readonly code: "stopped-early"; readonly trials: number; readonly asked: number; readonly sent: number }
  | {
      readonly code: "generator-count";
      readonly trials: number;
      readonly sent: number;
      readonly completed: number;
      readonly failed: number;
    }
  | { readonly code: "latency-count"; readonly trials: number; readonly completed: number; readonly recorded: number }
  | { readonly code: "server-count"; readonly trials: number; readonly server: number; readonly generator: number }
  | { readonly code: "connections"; readonly trials: number; readonly asked: number; readonly peak: number }
  | { readonly code: "keep-alive-lost"; readonly trials: number; readonly completed: number; readonly kept: number }
  | {
      readonly code: "littles-law";
      readonly trials: number;
      readonly concurrency: number;
      readonly inFlight: number;
      readonly lowest: number;
    }
  /** A closed loop by time: the share of its successes that came only after the window. */
  | { readonly code: "window-too-short"; readonly trials: number; readonly seconds: number; readonly late: number }
  /** Medians over the trials; the server's share is null where it is not ours to look into. */
  | { readonly code: "generator-limited"; readonly generatorShare: number; readonly serverShare: number | null }
  /** Open loop: 99th percentiles of what the generator itself was late and of the latency, ms. Medians over the trials. */
  | { readonly code: "generator-late"; readonly pacingMs: number; readonly latencyMs: number };

/** What a reader must know of a cell that is valid all the same. Shares are medians over the trials. */
export type Warning =
  | { readonly code: "generator-near-limit"; readonly generatorShare: number; readonly serverShare: number | null }
  /** Open loop: as "generator-late", but not as much. */
  | { readonly code: "generator-somewhat-late"; readonly pacingMs: number; readonly latencyMs: number }
  /** Open loop: the server did not keep up, so that its queue, and with it the latency, grew for as long as the trial lasted. */
  | { readonly code: "overloaded"; readonly trials: number; readonly rate: number; readonly achievedRate: number }
  /** As "window-too-short", but fewer. */
  | { readonly code: "window-short"; readonly trials: number; readonly seconds: number; readonly late: number }
  /**
   * Open loop: for requests that come at random, as these do unless `even`, the 99th percentile is too low by about the share `bias`; trials of so
   * many seconds would have less than `limits.tailBias`. `load` is how full the server was, `requests` those of a trial.
   */
  | {
      readonly code: "tail-too-short";
      readonly load: number;
      readonly requests: number;
      readonly bias: number;
      readonly seconds: number;
      readonly even: boolean;
    }
  /** Where the CPUs vary: the load generator ran on the server's, and kept so many of them busy. */
  | { readonly code: "generator-on-server-cpus"; readonly cpus: number; readonly generatorCpus: number }
  /** Open loop: so many of `sent` requests found all connections busy when they were due. */
  | {
      readonly code: "connections-short";
      readonly trials: number;
      readonly concurrency: number;
      readonly waited: number;
      readonly sent: number;
    }
  /** Bodies of one kind of request had so many bytes, which the plan allows. */
  | { readonly code: "lengths-vary"; readonly trials: number; readonly shortest: number; readonly longest: number }
  | { readonly code: "shared-cpus"; readonly cpus: number; readonly busyCpus: number }
  | {
      readonly code: "disturbed";
      readonly trials: number;
      /** Of the trial farthest from the median of all. */
      readonly requestsPerSecond: number;
      readonly median: number;
    };

export interface Verdict {
  readonly valid: boolean;
  /**
   * Invalid for no other reason than that the load generator was the limit. The counts add up, so what a request cost the server
   * stands; requests per second are a lower bound of what the core can serve, latencies an upper one.
   */
  readonly lowerBound: boolean;
  readonly reasons: readonly Reason[];
  readonly warnings: readonly Warning[];
}

/** The limits the diagnostics apply, each with its source. */
export const thresholds = {
  /**
   * A thread busy for this share of the window is full: the rest is run-in, run-out and the grain of CPU accounting. In a closed loop
   * the busiest station bounds the throughput, whatever the others could do.
   * Source: P. Denning and J. Buzen, "The operational analysis of queueing network models", ACM Computing Surveys 10(3), 1978.
   */
  full: 0.9,
  /**
   * A generator above this share delays its own requests.
   * Source: Grafana k6, "Running large tests": leave 20% of the CPU idle, else response times look larger than they are.
   */
  generatorHeadroom: 0.8,
  /**
   * How far the requests in flight, summed latency in the window ÷ its length, may lie below the concurrency (Little's law: L = λ·W). The
   * gap is the generator's own turn-around between an answer and the next request, which no latency holds.
   * Source: J. Little, "A proof for the queuing formula L = λW", Operations Research 9(3), 1961.
   */
  littleGap: 0.1,
  /** More in flight than there are connections cannot be: the clock's grain is all that is allowed. */
  littleExcess: 0.01,
  /**
   * A closed loop by time counts whole requests: of answers that come in step, as those of a sleeping handler do, up to a round of all
   * connections may lie beyond the end of the window. That share of the requests is what the rate may be off by.
   */
  lateNoted: 0.1,
  lateInvalid: 0.5,
  /**
   * Where server and generator share CPUs: the part of them that the generator may take for requests per second to be fair. A core that uses
   * all CPUs loses as much, one that uses a single one nothing, so a ratio is off by no more than this.
   */
  sharedCpus: 0.1,
  /**
   * Open loop: the generator's own lateness is part of every latency. From this share of the 99th percentile on it may be most of what was
   * measured, from the second one on a reader must know of it.
   */
  late: 0.5,
  somewhatLate: 0.1,
  /** Open loop: a server that gets this much less than the rate does not keep up; less is the grain of a short window. */
  rateMissed: 0.02,
  /** Open loop: where more than this share of the requests waits for a connection, the connections may be the limit and not the server. */
  waitedForConnection: 0.01,
  /** Open loop: a 99th percentile that is too low by more than this, since the trial is short, is worth a word. */
  tailBias: 0.05,
  /** An outlier nearer to the median than this share of it is not worth a word. */
  outlierShare: 0.1,
} as const;
