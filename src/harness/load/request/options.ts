import type { Fields, RequestKind } from "./kind.js";

/** What a run needs, resolved: the command line has checked it. */
export interface LoadOptions {
  readonly target: Target;
  /** Requests to send in all; Infinity where only `durationMs` ends the run. */
  readonly requests: number;
  /** After that no request starts; what is under way then is waited for. Absent or null: `requests` ends the run. */
  readonly durationMs?: number | null;
  /** Requests per second over all connections, in an open loop; absent or null: a closed loop. */
  readonly rate?: number | null;
  /** In an open loop: when requests are to be sent. Absent: at random. */
  readonly arrivals?: Arrivals;
  /** In an open loop: the rate rises from 0 for so long, in a straight line. Absent: 0. */
  readonly rampMs?: number;
  /** Decides random arrivals and the order of kinds. Absent: 1. */
  readonly seed?: number;
  /** Connections, each with one request under way; at most `requests`. */
  readonly concurrency: number;
  /** In an open loop: connections are made as requests need them, up to `concurrency`; absent: false, all of them take turns. */
  readonly growing?: boolean;
  readonly keepAlive: boolean;
  /** Allowed from the start of a request, its connect included, to the last byte of its response; in an open loop as long again for its wait for a connection. */
  readonly timeoutMs: number;
  /** More header fields, checked, of every request. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The kinds of request that are sent, at least one; absent: a GET of the target's path. */
  readonly kinds?: readonly RequestKind[];
  /** What fills the templates of the kinds; absent or null: they have none. */
  readonly fields?: Fields | null;
  /** Bodies of one kind may differ in length (ab's -l); absent: a length other than that of the first success is an error. */
  readonly variableLength?: boolean;
  /** Latencies are recorded by the first byte of the body, too. */
  readonly byFirstByte: boolean;
  /** SHA-256 that bodies must have, in hexadecimal; "": that of the first good one of the same kind; absent or null: only lengths are compared. */
  readonly bodySha256?: string | null;
  /** Address of this machine to connect from; absent or null: the system's choice. */
  readonly localAddress?: string | null;
}

/** Even: at equal distances. Poisson: at random. Or the instants themselves, ms from the start, ascending. */
export type Arrivals = "even" | "poisson" | Float64Array;

/** Where the requests go. */
export interface Target {
  readonly url: string;
  /** Name or address to connect to. */
  readonly host: string;
  readonly port: number;
  /** Path and query. */
  readonly path: string;
  /** Value of the Host field. */
  readonly authority: string;
  /** Path of a Unix-domain socket that is connected to in place of host and port; absent or null: none. */
  readonly socketPath?: string | null;
  /** Absent or null: no TLS. */
  readonly tls?: TargetTls | null;
}

export interface TargetTls {
  /** The server's certificate is not checked. */
  readonly insecure: boolean;
  /** Authorities, PEM, that are trusted in place of Node's; null: Node's. */
  readonly ca: string | null;
}

/** unix:/path/to.sock:/route */
const UNIX_URL = /^unix:([^:]+)(?::(\/.*))?$/s;

/** Whether a text names a Unix-domain socket. */
export function isUnixUrl(url: string): boolean {
  return UNIX_URL.test(url);
}

/** The target that an http or https URL names, or a Unix-domain socket. */
export function targetOf(url: string | URL): Target {
  const unix = UNIX_URL.exec(String(url));
  if (unix !== null) {
    const [, socketPath = "", route = "/"] = unix;
    return { ...targetOf(`http://localhost${route}`), url: String(url), socketPath };
  }
  const { protocol, href, hostname, port, pathname, search, host } = new URL(url);
  const isSecure = protocol === "https:";
  return {
    url: href,
    // An IPv6 address has brackets in a URL, and none where it is connected to.
    host: hostname.replace(/^\[|\]$/g, ""),
    port: port !== "" ? Number(port) : isSecure ? 443 : 80,
    path: pathname + search,
    authority: host,
    ...(isSecure ? { tls: { insecure: false, ca: null } } : {}),
  };
}
