import { connect, type Socket } from "node:net";
import type { LoadOptions } from "./options.js";
import { ParseState, ResponseParser } from "./response-parser.js";
import type { ErrorClass } from "./run-result.js";
import type { Tally } from "./tally.js";

/** What all lanes of a run share. */
export interface LaneContext {
  readonly options: LoadOptions;
  /** The target's, looked up. */
  readonly address: string;
  /** The encoded request. */
  readonly request: Buffer;
  /** Bytes are read into it and used up before the next read of any socket: one serves all. */
  readonly readBuffer: Buffer;
  readonly tally: Tally;
  /** Called once by each lane, when there is nothing more to send. */
  readonly onDone: () => void;
}

/**
 * One of the run's connections and its successors: sends a request, waits for the whole response, sends the next. The end of
 * one request is the start of the next by the same reading of the clock, so a closed loop has no think time to hide in.
 */
export class Lane {
  readonly #context: LaneContext;
  readonly #parser = new ResponseParser();
  #socket: Socket | undefined;
  /** A request has been taken and has not ended. */
  #busy = false;
  #connected = false;
  /** Times of the request under way, ms of performance.now(). */
  #startedMs = 0;
  #connectMs = 0;
  #writtenMs = 0;
  #firstByteMs = 0;

  constructor(context: LaneContext) {
    this.#context = context;
  }

  /** The `Server` the responses name. */
  get server(): string {
    return this.#parser.head.server;
  }

  /** Takes a request and opens a connection for it; the lane is done when there is none to take. */
  open(): void {
    const { tally, options, address, readBuffer, onDone } = this.#context;
    if (!tally.take()) {
      onDone();
      return;
    }
    this.#busy = true;
    this.#parser.reset();
    this.#startedMs = performance.now();
    const socket = connect({
      host: address,
      port: options.target.port,
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback: (bytesRead, bytes) => {
          if (socket === this.#socket) this.#receive(bytesRead, bytes as Buffer);
          return true;
        },
      },
    });
    this.#socket = socket;
    socket.on("connect", () => {
      if (socket !== this.#socket) return;
      this.#connected = true;
      tally.connectionOpened();
      const nowMs = performance.now();
      this.#connectMs = nowMs - this.#startedMs;
      this.#write(nowMs);
    });
    socket.on("error", (error: NodeJS.ErrnoException) => this.#end(socket, errorClassOf(error, this.#connected)));
    socket.on("end", () => {
      if (socket === this.#socket && this.#parser.end() === ParseState.complete) this.#complete(performance.now());
      else this.#end(socket, this.#parser.started ? "short-body" : "closed-early");
    });
    socket.on("close", () => this.#end(socket, this.#parser.started ? "short-body" : "closed-early"));
  }

  /** Fails the request under way if it has taken longer than allowed. */
  checkTimeout(nowMs: number): void {
    if (this.#busy && nowMs - this.#startedMs > this.#context.options.timeoutMs && this.#socket !== undefined) {
      this.#end(this.#socket, "timeout");
    }
  }

  /** The run was stopped: what is under way is not waited for. */
  interrupt(): void {
    if (this.#busy && this.#socket !== undefined) this.#end(this.#socket, "interrupted");
  }

  #write(nowMs: number): void {
    this.#writtenMs = nowMs;
    this.#firstByteMs = 0;
    this.#socket?.write(this.#context.request);
  }

  #receive(bytesRead: number, bytes: Buffer): void {
    const nowMs = performance.now();
    this.#context.tally.totalBytes += bytesRead;
    if (this.#firstByteMs === 0) this.#firstByteMs = nowMs;
    const state = this.#parser.feed(bytes, bytesRead);
    if (state === ParseState.complete) this.#complete(nowMs);
    else if (state === ParseState.malformed && this.#socket !== undefined) this.#end(this.#socket, "malformed");
  }

  /** A whole response has arrived: the next request goes out on the same connection where that may be used again. */
  #complete(nowMs: number): void {
    const { tally, options } = this.#context;
    const parser = this.#parser;
    const reusable = options.keepAlive && parser.head.keepAlive;
    this.#busy = false;
    tally.respond(
      { status: parser.head.status, bodyBytes: parser.bodyBytes, firstByte: parser.firstByte, reusable },
      {
        connectMs: this.#connectMs,
        waitingMs: this.#firstByteMs - this.#writtenMs,
        processingMs: nowMs - this.#writtenMs,
      },
    );
    if (!reusable) {
      this.#leave();
      this.open();
    } else if (tally.take()) {
      this.#busy = true;
      this.#startedMs = nowMs;
      this.#connectMs = 0;
      parser.reset();
      this.#write(nowMs);
    } else {
      this.#leave();
      this.#context.onDone();
    }
  }

  /** The connection is of no more use: the request under way fails with this class, and the lane goes on with a new one. */
  #end(socket: Socket, errorClass: ErrorClass): void {
    if (socket !== this.#socket) return;
    this.#leave();
    if (this.#busy) {
      this.#busy = false;
      this.#context.tally.fail(errorClass);
    }
    // Not at once: a target that refuses immediately must not grow the stack.
    setImmediate(() => this.open());
  }

  /** What the old socket still tells is not heard any more. */
  #leave(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
    // The descriptor is closed by now; the event that says so comes later, when the next connection is open.
    if (this.#connected) this.#context.tally.connectionClosed();
    this.#connected = false;
  }
}

function errorClassOf(error: NodeJS.ErrnoException, connected: boolean): ErrorClass {
  if (!connected) return error.code === "ECONNREFUSED" ? "connect-refused" : "connect-failed";
  return "reset";
}
