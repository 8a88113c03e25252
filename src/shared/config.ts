import type { AppStyle } from "./app-style.js";

/** A server's settings, resolved once at the edge: everything is given, nothing is checked again inside. */
export interface ServerConfig {
  /** Name of the core, one of those that `server.ts` knows. */
  readonly mode: string;
  /** Name of the adapter, one of those that `server.ts` knows. */
  readonly adapter: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** null: every IPv4 and IPv6 address. */
  readonly host: string | null;
  /** A Unix-domain socket to listen on in place of host and port; null: none. */
  readonly unix: UnixConfig | null;
  /** HTTPS; null: HTTP. */
  readonly tls: TlsConfig | null;
  /** Absolute path of the folder whose files are served. */
  readonly root: string;
  /** Worker threads, for cores that have them: the fewest that are kept and the most that are started under load. */
  readonly workers: { readonly min: number; readonly max: number };
  /** A worker beyond the fewest ends when it has had nothing to do for this long. */
  readonly workerIdleMs: number;
  /** Heap that a worker may use, MiB; null: Node's own limit. */
  readonly workerMemoryMiB: number | null;
  /** A request that has not been answered after this is answered with 504, and a worker stuck in it is replaced; null: no limit. */
  readonly requestTimeoutMs: number | null;
  /** Requests that may be queued or in service at once, a power of two, for cores that have a queue. */
  readonly queue: number;
  /** Shared memory for bodies of requests that are queued, for cores that hand requests to threads; null: by the largest body that is allowed. */
  readonly bodyMemoryBytes: number | null;
  /** Bound of the file cache of each thread that runs handlers. */
  readonly cacheBytes: number;
  /** What is said of files beside their bytes. */
  readonly files: FileRules;
  /** Absolute path of a module with more handlers, or null. */
  readonly handlers: string | null;
  /** What that module is to be taken for; null: for what it looks like. */
  readonly appStyle: AppStyle | null;
  /** Absolute paths of modules, or folders of them, that run around every request. */
  readonly plugins: readonly string[];
  /** Absolute path of a file with variables for the environment of user code; null: none. */
  readonly envFile: string | null;
  /** Iterations of the burn loop per µs; null: calibrate at the start. */
  readonly iterationsPerMicro: number | null;
  /** The access log; null: none. */
  readonly log: LogConfig | null;
  /** Whether the stats are mirrored into a file in shared memory. */
  readonly mirror: boolean;
  readonly limits: ServerLimits;
  /** What /stats… and /metrics are to be asked with; null: they answer clients of this machine, without one. */
  readonly adminToken: string | null;
  /** Whether what goes wrong is told in a line on standard error. */
  readonly diagnostics: boolean;
  /** How long a drain may take. */
  readonly drainTimeoutMs: number;
}

/** Rules for header fields of files. */
export interface FileRules {
  /** Regular expression for paths below the root whose content never changes; null: none. */
  readonly immutable: string | null;
  /** For how long a browser may use other files that are no documents without asking again; 0: it always asks. */
  readonly maxAgeSeconds: number;
  /** The Content-Security-Policy of documents; null: they have none, and may be framed. */
  readonly csp: string | null;
}

/** What a client may ask of the server; reaching one is counted by its name. docs/http.md says what each adapter makes of them. */
export interface ServerLimits {
  /** Open at once; null: as many as the files that the process may open. */
  readonly maxConnections: number | null;
  /** Request line and fields together. */
  readonly maxHeadBytes: number;
  /** The request target. */
  readonly maxUrlBytes: number;
  /** The body of a request, but for one that its handler reads as a stream. */
  readonly maxBodyBytes: number;
  /** From the first byte that could belong to a request to the end of its head. */
  readonly headTimeoutMs: number;
  /** Between two requests of a connection. */
  readonly idleTimeoutMs: number;
  /** A response of which the client has taken nothing for this long is ended. */
  readonly slowReaderTimeoutMs: number;
  /** The last of these closes its connection; null: there is no last one. */
  readonly maxConnectionRequests: number | null;
  /** Requests a second of one client address, and as many at once; null: any number. */
  readonly ratePerSecond: number | null;
}

/** A Unix-domain socket. */
export interface UnixConfig {
  /** Absolute; at most 107 bytes, as unix(7) has it. */
  readonly path: string;
  /** Its permissions: who may write may connect. */
  readonly mode: number;
}

/** PEM files that belong together, or a certificate for localhost that lives as long as the server. */
export type TlsConfig = { readonly certFile: string; readonly keyFile: string } | "self-signed";

/** The access log. */
export interface LogConfig {
  /** Absolute path; null: standard output. */
  readonly file: string | null;
  readonly format: "combined" | "json";
  /** What becomes of a line for which there is no room: it is dropped and counted, or the server waits for room. */
  readonly overflow: "drop" | "block";
}
