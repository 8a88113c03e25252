import type { GeneratorResult } from "../harness/drivers/result.js";
import type { SweepResult, TrialResult } from "../harness/sweep/result.js";

/**
 * Options and results of the library. The options are the flags of the command line in camelCase, and mean the same; times are in seconds,
 * as there. docs/configuration.md has the table of a server's settings with their defaults.
 */

/** What `serve` takes. Everything has a default. Neither variables nor a configuration file count. */
export interface ServeOptions {
  /** Core that runs the handlers. Default: "reactor". */
  readonly mode?: "reactor" | "pool";
  /** What speaks HTTP. Default: "uws"; "node" needs no binary. */
  readonly adapter?: "uws" | "node";
  /** Port to listen on; 0 takes a free one. Default: 9090. */
  readonly port?: number;
  /** Address to listen on. Default: all IPv4 and IPv6 addresses. */
  readonly host?: string;
  /** Path of a Unix-domain socket to listen on, in place of a port. */
  readonly unix?: string;
  /** Permissions of that socket, octal. Default: "0660". */
  readonly unixMode?: string;
  /** Certificate for HTTPS with its chain, a PEM file; with `tlsKey`. */
  readonly tlsCert?: string;
  /** Private key of the certificate, a PEM file. */
  readonly tlsKey?: string;
  /** HTTPS with a certificate for localhost that lives as long as the server. Default: false. */
  readonly tlsSelfSigned?: boolean;
  /** Folder whose files are served. Default: loopool's own pages. */
  readonly root?: string;
  /** Worker threads of the pool, a number or "MIN:MAX". Default: one fewer than CPUs that affinity and quota allow, at least 1. */
  readonly workers?: number | `${number}:${number}`;
  /** Seconds without work after which a worker beyond MIN ends. Default: 10. */
  readonly workerIdle?: number;
  /** MiB of heap that a worker may use. Default: Node's own limit. */
  readonly workerMemory?: number;
  /** Seconds after which a request is answered with 504, and a worker stuck in it replaced; 0: never. Default: 30. */
  readonly requestTimeout?: number;
  /** Requests queued or in service at once in the pool, a power of two. Default: 1024. */
  readonly queue?: number;
  /** Shared memory for bodies of requests that wait in the pool, bytes. Default: 64 MiB, or 4 × `maxBody` where that is more. */
  readonly bodyMemory?: number;
  /** Bound of the file cache that all threads share, bytes. Default: 64 MiB. */
  readonly cacheBytes?: number;
  /** Regular expression for paths of files that never change; "off": none. Default: names with a hash. */
  readonly immutable?: string;
  /** Seconds for which browsers may use files other than pages without asking. Default: 0. */
  readonly maxAge?: number;
  /** Content-Security-Policy of pages; "off": none. Default: they load from this site only. */
  readonly csp?: string;
  /** Path of your own application, a module in JavaScript or TypeScript: docs/applications.md. Sets NODE_ENV to "production" where it is not set. */
  readonly handlers?: string;
  /** What it is to be taken for. Default: what its exports look like. */
  readonly appStyle?: "fetch" | "node" | "listen" | "handlers";
  /** Paths of modules that run around every request, or of folders of them. */
  readonly plugin?: string | readonly string[];
  /** Path of a file with variables for application and plug-ins; those that are set already stay. */
  readonly envFile?: string;
  /** Iterations of the burn loop per µs. Default: calibrated at the start. */
  readonly iterationsPerUs?: number;
  /** Access log: a file, "-" for standard output, or "off". Default: "off". */
  readonly log?: string;
  /** Its lines. Default: "combined". */
  readonly logFormat?: "combined" | "json";
  /** When it is not written as fast as requests are answered. Default: "drop". */
  readonly logOverflow?: "drop" | "block";
  /** The stats in a file in shared memory, which `loopool stats` reads. Default: true. */
  readonly mirror?: boolean;
  /** Connections open at once. Default: as many as the process may open files. */
  readonly maxConnections?: number;
  /** Bytes of a request's line and fields together. With `adapter: "uws"` the first server of a process decides. Default: 16,384. */
  readonly maxHeader?: number;
  /** Bytes of a request's target. Default: 16,384. */
  readonly maxUrl?: number;
  /** Bytes of a request's body. Default: 1 MiB. */
  readonly maxBody?: number;
  /** Seconds for a request's head to arrive; with `adapter: "uws"` 10 only. Default: 10. */
  readonly headerTimeout?: number;
  /** Seconds between two requests of a connection; with `adapter: "uws"` 10 only. Default: 10. */
  readonly idleTimeout?: number;
  /** Seconds after which a response of which the client takes nothing is ended. Default: 10. */
  readonly slowReaderTimeout?: number;
  /** Requests after which a connection is closed; 0: never. Default: 0. */
  readonly maxConnectionRequests?: number;
  /** Requests a second of one client address; 0: any number. Default: 0. */
  readonly rateLimit?: number;
  /** What /stats… and /metrics are to be asked with. Default: they answer this machine only. */
  readonly adminToken?: string;
  /** Whether failures of handlers and lost workers are told in a line on standard error. Default: false. */
  readonly diagnostics?: boolean;
}

/** A server that accepts connections. */
export interface Server {
  /** Where to reach it: "http://localhost:9090", "https://…", or "unix:/path". */
  readonly url: string;
  /** 0 for a Unix-domain socket. */
  readonly port: number;
  /** Worker threads that run handlers, "2" or "1:4"; "0" where the event loop does. */
  readonly workers: string;
  /** The file of the access log was renamed: a new one of its name is opened. */
  reopenLog(): void;
  /** Stops accepting, answers what is in flight within 10 seconds, and ends all threads. Resolves with the number of requests cut off. */
  stop(): Promise<number>;
}

/** What `load` takes. */
export interface LoadOptions {
  /** Requests to send. Default: 10,000; with `duration`: no limit. */
  readonly requests?: number;
  /** Seconds after which no request starts any more. */
  readonly duration?: number;
  /** Requests per second, sent whatever the server does (open loop). Default: a closed loop. */
  readonly rate?: number;
  /** Connections, each with one request under way. Default: 100, or `requests` if fewer; with `rate` as many as the requests need. */
  readonly concurrency?: number;
  /** Threads that send. Default: 1, the caller's own. */
  readonly threads?: number;
  /** Seconds allowed for a request, its connect included. Default: 30. */
  readonly timeout?: number;
  /** Requests to send before, and not to count, or seconds like "2s". Default: 0. */
  readonly warmup?: number | `${number}s`;
  /** With `rate`: "poisson", at random as from many users; "even"; or a file with the seconds from the start. Default: "poisson". */
  readonly arrivals?: string;
  /** With `rate`: seconds in which it rises from 0. Default: 0. */
  readonly ramp?: number;
  /** Decides random arrivals and the order of kinds of request. Default: 1. */
  readonly seed?: number;
  /** More header fields, by name. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Method of the request. Default: GET; with a body: POST. */
  readonly method?: string;
  /** Body of the request, as it stands. */
  readonly body?: string;
  /** File with the body of the request. */
  readonly bodyFile?: string;
  /** Fields of a form that is the body; "@file" sends a file. */
  readonly form?: Readonly<Record<string, string>>;
  /** Statuses that are a success, like "2xx,404". Default: "2xx". */
  readonly expectStatus?: string;
  /** Several kinds of request, each with its weight: schemas/loopool-requests-1.schema.json, or a HAR. */
  readonly requestsFile?: string;
  /** CSV file, or JSON lines, whose rows fill {{name}} in paths, header fields and bodies. */
  readonly fields?: string;
  /** Bodies may differ in length. Default: only of several kinds of request. */
  readonly variableLength?: boolean;
  /** With https: do not check the server's certificate. Default: false. */
  readonly insecure?: boolean;
  /** With https: file with the authorities, PEM, to trust in place of Node's. */
  readonly ca?: string;
  /** Path of a Unix-domain socket to connect to. */
  readonly unixSocket?: string;
  /** Use a connection for many requests. Default: true. */
  readonly keepAlive?: boolean;
  /** Compare bodies by their SHA-256, too, with the first good one. Default: false. */
  readonly verify?: boolean;
  /** As `verify`, and what the hash must be, in hexadecimal. */
  readonly sha256?: string;
  /** Latencies also by the first byte of the body. Default: false. */
  readonly byFirstByte?: boolean;
  /** Address of this machine to connect from. */
  readonly localAddress?: string;
  /** Another load generator, where it is installed. Default: loopool's own. */
  readonly driver?: "wrk" | "ab" | "h2load" | "autocannon" | "oha";
  /** Ends the run: the result tells of what was sent until then. Another generator leaves none: the promise rejects. */
  readonly signal?: AbortSignal;
}

/** What a run found; schemas/loopool-load-1.schema.json describes it. Times are in ns unless the name says otherwise. */
export type LoadResult = GeneratorResult;

/** What `sweep` takes. */
export interface SweepOptions {
  /** Cores to compare, the first is the base; "none" beside `targets`. Default: reactor and pool. */
  readonly cores?: readonly ("reactor" | "pool")[] | "none";
  /** Connections, each with one request under way. Default: 10, 100, 250 and 450. */
  readonly concurrency?: readonly number[];
  /** Requests of a trial. Default: 100,000. */
  readonly requests?: number;
  /** Requests before each trial, not counted. Default: 20,000, no more than `requests`. */
  readonly warmup?: number;
  /** Trials of each core at each concurrency. Default: 16. */
  readonly trials?: number;
  /** Path and query to request. Default: "/", or the only one of `handlers`. */
  readonly path?: string;
  /** More header fields, by name. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Method of the request. Default: GET; with a body: POST. */
  readonly method?: string;
  /** Body of the request, as it stands. */
  readonly body?: string;
  /** File with the body of the request. */
  readonly bodyFile?: string;
  /** Fields of a form that is the body; "@file" sends a file. */
  readonly form?: Readonly<Record<string, string>>;
  /** Statuses that are a success, like "2xx,404". Default: "2xx". */
  readonly expectStatus?: string;
  /** Several kinds of request, each with its weight: schemas/loopool-requests-1.schema.json, or a HAR. */
  readonly requestsFile?: string;
  /** CSV file, or JSON lines, whose rows fill {{name}} in paths, header fields and bodies. */
  readonly fields?: string;
  /** Bodies may differ in length. Default: only of several kinds of request, and of `handlers` and `targetCommands`. */
  readonly variableLength?: boolean;
  /** Servers that commands start anew for each trial, command by name. */
  readonly targetCommands?: Readonly<Record<string, string>>;
  /** Servers that are not ours and run already, URL by name. */
  readonly targets?: Readonly<Record<string, string>>;
  /** Open loop: requests per second; "auto": 50, 70 and 90% of what the slowest core serves. Default: a closed loop. */
  readonly rate?: readonly number[] | "auto";
  /** With `rate`: "poisson", at random as from many users, or "even". Default: "poisson". */
  readonly arrivals?: "even" | "poisson";
  /** With `rate`: seconds in which it rises from 0. Default: 0. */
  readonly ramp?: number;
  /** Seconds of a trial, in place of `requests`. */
  readonly duration?: number;
  /** Threads of the load generator. Default: 1. */
  readonly threads?: number;
  /** Another load generator, where it is installed. Default: loopool's own. */
  readonly driver?: "wrk" | "ab" | "h2load" | "autocannon" | "oha";
  /** Another version of loopool to measure each core beside: a commit of loopool's own checkout, a folder in which it is built, or a file of `npm pack`. */
  readonly against?: string;
  /** Add blocks until each ratio of requests/s is known this well, like "3%". */
  readonly until?: `${number}%`;
  /** With `until`: trials at most. Default: 40. */
  readonly maxTrials?: number;
  /** With `until`: minutes at most. Default: 15. */
  readonly maxMinutes?: number;
  /** Decides the order of the trials. Default: 1. */
  readonly seed?: number;
  /** What speaks HTTP before the cores. Default: "uws". */
  readonly adapter?: "uws" | "node";
  /** Worker threads of the pool. Default: what the server's CPUs leave beside its main thread. */
  readonly workers?: number;
  /** Path of a module with handlers of your own: docs/handlers.md. */
  readonly handlers?: string;
  /** CPUs: "auto", "none", or "SERVER:GENERATOR" like "0:1". Default: "auto". */
  readonly pin?: string;
  /** Numbers of CPUs that the server is given, by affinity, each with every load. Default: as `pin` says. */
  readonly serverCpus?: number | readonly number[];
  /** Use a connection for many requests. Default: true. */
  readonly keepAlive?: boolean;
  /** A small sweep, to see that it works. Default: false. */
  readonly quick?: boolean;
  /** Measure the first core against itself too, for the noise floor. Default: false. */
  readonly aa?: boolean;
  /** Part of the name of the result. Default: "cores". */
  readonly name?: string;
  /** Folder of the result. Default: "loopool/results" below the working directory. */
  readonly out?: string;
  /** Do not check the certificate of a target over https. Default: false. */
  readonly insecure?: boolean;
  /** File with the authorities, PEM, to trust with a target over https. */
  readonly ca?: string;
  /** Seconds a trial may take. Default: 300. */
  readonly trialTimeout?: number;
  /** Called when a trial is in the file. */
  readonly onProgress?: (progress: Progress) => void;
  /** Ends the sweep: the promise rejects, finished trials are in the file, and the command line can go on with it (`--resume`). */
  readonly signal?: AbortSignal;
}

/** How far a sweep is. */
export interface Progress {
  readonly file: string;
  /** The trial that has just ended. */
  readonly trial: TrialResult;
  /** Trials in the file. */
  readonly finished: number;
  /** Trials of the whole plan. */
  readonly planned: number;
  /** By the mean of the trials so far; null before that is known. */
  readonly remainingMs: number | null;
}

/** A finished sweep. */
export interface SweepOutcome {
  /** Where the result is stored. */
  readonly file: string;
  /** schemas/loopool-sweep-3.schema.json describes it. */
  readonly result: SweepResult;
}

/** What `report` takes. */
export interface ReportOptions {
  /** Folder of the report. Default: "loopool/reports" below the working directory. */
  readonly out?: string;
}

/** Paths of what was written, and the answer. */
export interface Report {
  readonly markdown: string;
  readonly html: string;
  readonly json: string;
  /** The folder of all but the Markdown: charts, trials.csv, and the latencies of each cell (.hgrm). */
  readonly folder: string;
  /** What was found, in sentences. */
  readonly answer: readonly string[];
}
