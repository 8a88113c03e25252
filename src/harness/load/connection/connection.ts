import { connect, isIP, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { BodyHash, type BodySink } from "../parser/body-hash.js";
import { ParseState, ResponseParser } from "../parser/response-parser.js";
import type { EncodedRequest } from "../request/encode.js";
import type { LoadOptions, TargetTls } from "../request/options.js";
import type { RequestSource } from "../request/source.js";
import type { ErrorClass } from "../result/run-result.js";
import type { Tally } from "../tally/tally.js";
import type { PartialWindow } from "../tally/window.js";

/** Decides when a connection sends its next request. */
export interface Loop {
  /** The run begins: all its connections are free. */
  start(connections: readonly Connection[], startMs: number): void;
  /** The connection has nothing under way: the loop has it `start` a request now or later, or `close`s it for good. */
  free(connection: Connection, nowMs: number): void;
  /** Called every few milliseconds: gives up requests that have waited longer than allowed. */
  checkTimeout(nowMs: number): void;
  /** The tally gives out no more: connections that wait for a request are closed. */
  stop(): void;
  /** Of a run that has ended. */
  window(): PartialWindow;
}

/** What all connections of a run share. */
export interface ConnectionContext {
  readonly options: LoadOptions;
  /** The target's, looked up. */
  readonly address: string;
  readonly requests: Pick<RequestSource, "next">;
  /** Bytes are read into it and used up before the next read of any socket: one serves all. */
  readonly readBuffer: Buffer;
  readonly tally: Tally;
  /** Is told of the bytes of bodies in place of a hash. */
  readonly bodySink?: BodySink;
}

/**
 * One of the run's connections and its successors: sends a request, waits for the whole response, and is free for the next. The end
 * of one request is the start of the next by the same reading of the clock, so a closed loop has no think time to hide in.
 */
export class Connection {
  readonly #context: ConnectionContext;
  readonly #loop: Pick<Loop, "free">;
  /** Only where bodies are compared. */
  readonly #hash: BodyHash | null;
  readonly #parser: ResponseParser;
  #socket: Socket | undefined;
  /** A request has been taken and has not ended. */
  #busy = false;
  /** The one under way, or the last one. */
  #request: EncodedRequest | undefined;
  #connected = false;
  /** Times of the request under way, ms of performance.now(). */
  #intendedMs = 0;
  #startedMs = 0;
  #connectMs = 0;
  #writtenMs = 0;
  #firstByteMs = 0;
  #endedMs = 0;
  #succeeded = false;

  constructor(context: ConnectionContext, loop: Pick<Loop, "free">) {
    this.#context = context;
    this.#loop = loop;
    this.#hash = (context.options.bodySha256 ?? null) === null ? null : new BodyHash();
    this.#parser = new ResponseParser(context.bodySink ?? this.#hash);
  }

  /** The `Server` the responses name. */
  get server(): string {
    return this.#parser.head.server;
  }

  /** It has a connection that can be used again. */
  get connected(): boolean {
    return this.#connected;
  }

  /** When its last request ended, ms of performance.now(); 0 before the first. */
  get endedMs(): number {
    return this.#endedMs;
  }

  /** That request was a success. */
  get succeeded(): boolean {
    return this.#succeeded;
  }

  /** Sends a request that has been taken from the tally, over a new connection where there is none. Its latency counts from `intendedMs`. */
  start(intendedMs: number, nowMs: number): void {
    this.#busy = true;
    this.#intendedMs = intendedMs;
    this.#startedMs = nowMs;
    const request = this.#context.requests.next();
    this.#request = request;
    this.#parser.reset(request.bodiless);
    this.#hash?.reset();
    if (this.#connected) {
      this.#connectMs = 0;
      this.#write(nowMs);
    } else {
      this.#connect();
    }
  }

  /** Fails the request under way if it has taken longer than allowed. */
  checkTimeout(nowMs: number): void {
    if (this.#busy && nowMs - this.#startedMs > this.#context.options.timeoutMs && this.#socket !== undefined) {
      this.#end(this.#socket, this.#connected ? "timeout" : "connect-timeout");
    }
  }

  /** The run was stopped: what is under way is not waited for. */
  interrupt(): void {
    if (this.#busy && this.#socket !== undefined) this.#end(this.#socket, "interrupted");
  }

  /** Leaves the connection; what its socket still tells is not heard any more. */
  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
    // The descriptor is closed by now; the event that says so comes later, when the next connection is open.
    if (this.#connected) this.#context.tally.connectionClosed();
    this.#connected = false;
  }

  #connect(): void {
    const { tally, options, address, readBuffer } = this.#context;
    const { socketPath, tls, port, host } = options.target;
    const onread = {
      buffer: readBuffer,
      callback: (bytesRead: number, bytes: Uint8Array): boolean => {
        if (socket === this.#socket) this.#receive(bytesRead, bytes as Buffer);
        return true;
      },
    };
    const place = socketPath
      ? { path: socketPath, onread }
      : {
          host: address,
          port,
          noDelay: true,
          onread,
          ...(options.localAddress ? { localAddress: options.localAddress } : {}),
        };
    const socket: Socket = tls ? connectTls({ ...place, ...tlsOptionsOf(host, tls) }) : connect(place);
    this.#socket = socket;
    socket.on(tls ? "secureConnect" : "connect", () => {
      if (socket !== this.#socket) return;
      this.#connected = true;
      tally.connectionOpened();
      const nowMs = performance.now();
      this.#connectMs = nowMs - this.#startedMs;
      this.#write(nowMs);
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (socket === this.#socket && !this.#connected) tally.connectFailure ||= error.message;
      this.#end(socket, errorClassOf(error, this.#connected));
    });
    socket.on("end", () => {
      if (socket === this.#socket && this.#parser.end() === ParseState.complete) this.#complete(performance.now());
      else this.#end(socket, this.#parser.started ? "short-body" : "closed-early");
    });
    socket.on("close", () => this.#end(socket, this.#parser.started ? "short-body" : "closed-early"));
  }

  #write(nowMs: number): void {
    this.#writtenMs = nowMs;
    this.#firstByteMs = 0;
    const { data } = this.#request!;
    if (typeof data === "string") this.#socket?.write(data, "latin1");
    else this.#socket?.write(data);
  }

  #receive(bytesRead: number, bytes: Buffer): void {
    const nowMs = performance.now();
    this.#context.tally.totalBytes += bytesRead;
    if (!this.#busy) {
      // Nobody asked for it: what comes over this connection next cannot be told from an answer.
      this.close();
      return;
    }
    if (this.#firstByteMs === 0) this.#firstByteMs = nowMs;
    const state = this.#parser.feed(bytes, bytesRead);
    if (state === ParseState.complete) this.#complete(nowMs);
    else if (state !== ParseState.more && this.#socket !== undefined)
      this.#end(this.#socket, state === ParseState.overlong ? "long-body" : "malformed");
  }

  /** A whole response has arrived: the next request can go out on the same connection where that may be used again. */
  #complete(nowMs: number): void {
    const { tally, options } = this.#context;
    const parser = this.#parser;
    const reusable = options.keepAlive && parser.head.keepAlive;
    this.#busy = false;
    this.#endedMs = nowMs;
    this.#succeeded = tally.respond(
      {
        kind: this.#request!.kind,
        status: parser.head.status,
        bodyBytes: parser.bodyBytes,
        firstByte: parser.firstByte,
        sha256: this.#hash === null ? "" : this.#hash.digest(),
        reusable,
      },
      {
        nowMs,
        connectMs: this.#connectMs,
        waitingMs: this.#firstByteMs - this.#writtenMs,
        processingMs: nowMs - this.#writtenMs,
        totalMs: nowMs - this.#intendedMs,
      },
    );
    if (reusable) {
      this.#loop.free(this, nowMs);
    } else {
      this.close();
      this.#loop.free(this, performance.now());
    }
  }

  /** The connection is of no more use: the request under way, if any, fails with this class, and the next one makes a new connection. */
  #end(socket: Socket, errorClass: ErrorClass): void {
    if (socket !== this.#socket) return;
    this.close();
    if (!this.#busy) return;
    this.#busy = false;
    this.#endedMs = performance.now();
    this.#succeeded = false;
    this.#context.tally.fail(errorClass, this.#endedMs, this.#request!.kind);
    // Not at once: a target that refuses immediately must not grow the stack.
    setImmediate(() => this.#loop.free(this, performance.now()));
  }
}

function tlsOptionsOf(host: string, { insecure, ca }: TargetTls): ConnectionOptions {
  return {
    // The name that was asked for, not the address that it was looked up to; an address has none (RFC 6066 §3).
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ALPNProtocols: ["http/1.1"],
    rejectUnauthorized: !insecure,
    ...(ca === null ? {} : { ca }),
  };
}

function errorClassOf({ code }: NodeJS.ErrnoException, connected: boolean): ErrorClass {
  if (connected) return "reset";
  switch (code) {
    case "ECONNREFUSED":
      return "connect-refused";
    case "ETIMEDOUT":
      return "connect-timeout";
    // The second from a bind to --local-address.
    case "EADDRNOTAVAIL":
    case "EADDRINUSE":
      return "no-local-port";
    case "EMFILE":
    case "ENFILE":
      return "too-many-files";
    default:
      // OpenSSL's and Node's own codes of a certificate or a handshake that is not accepted.
      return /^(ERR_SSL|ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)|_CERT(IFICATE)?(_|$)|^EPROTO$|^HOSTNAME_MISMATCH$/.test(
        code ?? "",
      )
        ? "tls-failed"
        : "connect-failed";
  }
}
