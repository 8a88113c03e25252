import type { GeneratorResult } from "../drivers/result.js";
import type { StoredRequests } from "../load/request/stored.js";

/** The file a sweep leaves in bench/results: everything a report needs, so that a report can always be made again. */
export interface SweepResult {
  readonly schema: "loopool-sweep/3";
  /** Part of the file name, e.g. "cores" in 2026-11-21-cores.json. */
  readonly name: string;
  /** The command that makes this result again, as a user would type it. */
  readonly command: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** null while trials are missing: the sweep was interrupted and can be resumed. */
  readonly finishedAt: string | null;
  readonly plan: SweepPlan;
  readonly environment: Environment;
  /** Why a sweep with `plan.until` added no more blocks; absent for others and while it runs. */
  readonly stopped?: Stop;
  /** Cores whose answers to the same requests differed before the first trial; absent where none did, or where nobody looked. */
  readonly stateDifferences?: readonly StateDifference[];
  /** Finished trials, in the order they ran. */
  readonly trials: readonly TrialResult[];
}

/** How the answers of a core to a sequence of requests differ from those of the base. */
export interface StateDifference {
  readonly core: string;
  readonly base: string;
  /** What differs: the first of these that does. */
  readonly what: "status" | "type" | "length" | "body";
  readonly requests: number;
  /** Different answers that each gave: more, or fewer, copies of what a handler keeps in its thread. */
  readonly answers: number;
  readonly baseAnswers: number;
}

/** What was asked for; with the seed it gives the order of all trials. */
export interface SweepPlan {
  /**
   * Names of what is compared, cores of ours, those of another version, and the names of `targets`; the first one is the base of every ratio,
   * with `against` each core's own of the other version.
   */
  readonly cores: readonly string[];
  /** Another version of loopool, whose cores are among them; absent where there is none. */
  readonly against?: OtherVersion;
  /** Servers among them that are not ours: they run already, and are not restarted between trials. Absent where there are none. */
  readonly targets?: readonly Target[];
  /** How certificates of targets over https are checked; absent: by Node's authorities. */
  readonly tls?: {
    readonly insecure: boolean /** Absolute path of a file with authorities; null: Node's. */;
    readonly ca: string | null;
  };
  /** Commands among them that start a server which is not ours, anew for each trial. Absent where there are none. */
  readonly commands?: readonly TargetCommand[];
  readonly concurrencies: readonly number[];
  /** Requests in the measured window of one trial; in an open loop the rate and the length of the window decide. */
  readonly requests: number;
  /** Requests sent and discarded before the window. */
  readonly warmupRequests: number;
  /** Trials per cell (a cell is one core at one concurrency). Each block holds every cell once. With `until` it grows as the sweep runs. */
  readonly trials: number;
  /** Path and query requested; with `traffic` those of its only kind, or "/". */
  readonly path: string;
  /** What is sent in place of a GET of `path`; absent: that. */
  readonly traffic?: StoredRequests;
  /** Bodies of a kind of request may differ in length; absent: they may not. */
  readonly variableLength?: boolean;
  readonly keepAlive: boolean;
  /** What speaks HTTP before the cores, the same for all; absent in a result of an older version: "uws". */
  readonly adapter?: string;
  readonly seed: number;
  /** Worker threads of the cores that have them. */
  readonly workers: number;
  /** Absolute path of a module with the user's own handlers; null: the built-in ones. */
  readonly handlers: string | null;
  /** What that module is to be taken for, as `serve --app-style` has it; absent: for what it looks like. */
  readonly appStyle?: string;
  readonly pinning: Pinning;
  /** A/A: one core is measured a second time in every block, as if it were another; absent where that was not asked for. */
  readonly control?: AaControl;
  /** Blocks are added until the ratios are known well enough; absent where the number of trials was given. */
  readonly until?: Until;
  /** Length of the measured window of a closed loop, instead of `requests`; the warm-up is half as long, in whole seconds. */
  readonly seconds?: number;
  /** Threads of the load generator; absent: 1. */
  readonly threads?: number;
  /** Another load generator, by the name of its driver; absent: our own. */
  readonly driver?: string;
  /** Trials at given rates; absent where all are closed loops. */
  readonly openLoop?: OpenLoopPlan;
  /**
   * Numbers of CPUs that the server is given, each with every load; `pinning` and `workers` are those of the first. Absent where it was not
   * asked for.
   */
  readonly serverCpus?: readonly ServerCpus[];
}

/** Another version of loopool. */
export interface OtherVersion {
  readonly from: "commit" | "folder" | "package";
  /** The whole hash of the commit, or the absolute path. */
  readonly source: string;
  /** Behind the "@" in the names of its cores: the short hash, or the version. */
  readonly label: string;
  /** Of its code: a sweep that is resumed goes on with the same one. */
  readonly sha256: string;
}

/** A server that is not ours. */
export interface Target {
  readonly name: string;
  /** What is requested of it: http, https, or unix:/path/to.sock:/route, with path and query; with `traffic` its path stands before all others. */
  readonly url: string;
}

/** A server that is not ours, and how it is started. */
export interface TargetCommand {
  readonly name: string;
  /** As a shell takes it. Its server listens on the port that PORT names, or on one of its own. */
  readonly command: string;
}

export interface OpenLoopPlan {
  /**
   * Shares of the capacity of the slowest core at the same concurrency (`--rate auto`): it is measured first, in closed loops that are cells
   * of the sweep too. null: the rates were given, and there are no closed loops.
   */
  readonly shares: readonly number[] | null;
  /** The rates at each concurrency; with shares none before the closed loops have been measured. */
  readonly rates: readonly { readonly concurrency: number; readonly requestsPerSecond: number }[];
  /** Length of a trial's window. */
  readonly seconds: number;
  /** Absent in a result of an older version: "even". */
  readonly arrivals?: "even" | "poisson";
  /** For how long the rate rises from 0; absent: 0. */
  readonly rampSeconds?: number;
  /** The rates were given, and there are closed loops all the same: both questions are asked. Absent: not so. */
  readonly saturation?: boolean;
}

/** One core under a second name: what tells the two apart is noise. */
export interface AaControl {
  readonly name: string;
  readonly of: string;
}

export interface Until {
  /** Half the width of every interval of a ratio of requests per second, as a share of the ratio: 0.03 for ±3%. */
  readonly halfWidth: number;
  readonly maxTrials: number;
  /** Of one run of the command: a sweep that is resumed has it again. */
  readonly maxSeconds: number;
}

/** Why no more blocks were added. "nothing-to-narrow": no two cells are valid, so there is no ratio. */
export interface Stop {
  readonly code: "narrow" | "max-trials" | "max-time" | "nothing-to-narrow";
  /** Half the width of the widest interval then, as a share of its ratio; null where a ratio has none yet, or there is no ratio. */
  readonly widest: number | null;
}

/** Which CPUs server and generator ran on; null: the scheduler's choice. */
export interface Pinning {
  /** In taskset's list form, e.g. "0" or "0,2-3". */
  readonly server: string | null;
  readonly generator: string | null;
  /** One sentence for the report: why it was pinned so. */
  readonly reason: string;
}

/** A number of CPUs that the server may use, and where it and the generator run then. */
export interface ServerCpus {
  readonly cpus: number;
  readonly pinning: Pinning;
  /** Worker threads of the cores that have them. */
  readonly workers: number;
}

/** One trial: a fresh server process, a warm-up discarded, one measured window. The unit of the experiment. */
export interface TrialResult {
  readonly core: string;
  readonly concurrency: number;
  /** Requests per second of an open loop; null: a closed loop. A result of an older version has no such field, and closed loops. */
  readonly rate: number | null;
  /** CPUs of the server, one of the plan's; absent where the plan has none. */
  readonly serverCpus?: number;
  /** Block number from 0: trials of one block ran next to each other and are paired. */
  readonly block: number;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** The generator's own accounting; null when the trial could not be run, see `failure`. */
  readonly run: GeneratorResult | null;
  /** What the server counted and spent between the end of the warm-up and the end of the window; null for one that is not ours. */
  readonly server: ServerAccounting | null;
  /** Why there is no result (the server did not start, the generator died), in one line. */
  readonly failure: string | null;
  /** The last that the server wrote to standard error, in one line: why a handler failed. Absent where it wrote nothing. */
  readonly serverErrors?: string;
}

/** Differences between two readings of the server's /stats.json around the measured window, the reading itself not counted. */
export interface ServerAccounting {
  /** Requests the server received: must equal the generator's, tolerance 0. */
  readonly requests: number;
  /** Requests refused because the pool's ring was full. */
  readonly shed: number;
  readonly handlerErrors: number;
  readonly aborted: number;
  /** CPU of the whole process, all its threads, µs. */
  readonly cpuUserMicros: number;
  readonly cpuSystemMicros: number;
  /** Wall time between the two readings, µs. */
  readonly elapsedMicros: number;
  /** High-water mark of the process since its start, bytes. */
  readonly peakRssBytes: number;
  /** Active ÷ (active + idle) time of the server's main event loop between the readings. */
  readonly eventLoopUtilization: number;
  /** Longest delay of the main event loop since its start, ms. */
  readonly eventLoopDelayMaxMs: number;
  /** null where none of them was measured. */
  readonly phases: PhaseMeans | null;
}

/** Phases of a request inside the server, in order. */
export const phases = ["wait", "handler", "back", "write"] as const;

/** Mean time of each phase over the requests of the window that the server measured, µs. */
export type PhaseMeans = Readonly<Record<(typeof phases)[number], number>>;

/** Where it was measured. */
export interface Environment {
  readonly cpuModel: string;
  readonly cores: number;
  /** CPUs that the control group allows; null: no limit; absent in a result of an older version. */
  readonly cpuQuota?: number | null;
  readonly memoryBytes: number;
  readonly platform: string;
  /** Kernel release. */
  readonly kernel: string;
  readonly node: string;
  readonly v8: string;
  readonly uv: string;
  readonly uws: string;
  readonly loopool: string;
  /** Git commit, with "-dirty" when the tree had changes; "unknown" outside a checkout. */
  readonly commit: string;
  /** Soft limit of open files; null where it cannot be read. */
  readonly openFilesLimit: number | null;
  /** Load average over one minute before the sweep. */
  readonly loadAverage: number;
  /** Iterations of the calibrated loop per µs, shared by all trials so that /cpu does the same work in each. */
  readonly iterationsPerMicro: number;
  /** NODE_ENV of the servers with the user's application; absent without one. */
  readonly nodeEnv?: string;
}
