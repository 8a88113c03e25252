/** What a run needs, resolved: the command line has checked it. */
export interface LoadOptions {
  readonly target: Target;
  /** Requests to send in all; Infinity where only `durationMs` ends the run. */
  readonly requests: number;
  /** After that no request starts; what is under way then is waited for. Absent or null: `requests` ends the run. */
  readonly durationMs?: number | null;
  /** Requests per second over all connections, in an open loop; absent or null: a closed loop. */
  readonly rate?: number | null;
  /** Connections, each with one request under way; at most `requests`. */
  readonly concurrency: number;
  readonly keepAlive: boolean;
  /** Allowed from the start of a request, its connect included, to the last byte of its response; in an open loop as long again for its wait for a connection. */
  readonly timeoutMs: number;
  /** More header fields, checked. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Latencies are recorded by the first byte of the body, too. */
  readonly byFirstByte: boolean;
  /** SHA-256 that bodies must have, in hexadecimal; "": that of the first good one; absent or null: only lengths are compared. */
  readonly bodySha256?: string | null;
  /** Address of this machine to connect from; absent or null: the system's choice. */
  readonly localAddress?: string | null;
}

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
}

/** The target that an http URL names. */
export function targetOf(url: string | URL): Target {
  const { href, hostname, port, pathname, search, host } = new URL(url);
  return {
    url: href,
    // An IPv6 address has brackets in a URL, and none where it is connected to.
    host: hostname.replace(/^\[|\]$/g, ""),
    port: port === "" ? 80 : Number(port),
    path: pathname + search,
    authority: host,
  };
}

/** The one request of a run, put together once: a character for each byte. */
export function encodeRequest({ target, keepAlive, headers }: LoadOptions): string {
  const fields: (readonly [string, string])[] = [["Host", target.authority]];
  // HTTP/1.1 keeps alive unless told otherwise (RFC 9112 §9.3).
  if (!keepAlive) fields.push(["Connection", "close"]);
  const lines = [...fields, ...headers].map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${target.path} HTTP/1.1\r\n${lines.join("")}\r\n`;
}
