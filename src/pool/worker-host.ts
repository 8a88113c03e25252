import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { endedByImport, LoopoolError, messageOf } from "../shared/errors.js";
import { tellOperator } from "../shared/failure-log.js";
import { oneLine } from "../shared/terminal-text.js";
import { AnswerReader } from "./answer-codec.js";
import type { IncomingStreams } from "./incoming-streams.js";
import { attachAnswers } from "./memory.js";
import type { PoolMessage, ReadyMessage, StartupMessage, WorkerMessage } from "./messages.js";

/** What a worker tells the pool. */
export interface WorkerEvents {
  /** Whatever it sends while it takes requests. */
  readonly onMessage: (message: Exclude<WorkerMessage, { type: "loopool:ready" | "loopool:failed" }>) => void;
  /** It takes requests. */
  readonly onReady: (message: ReadyMessage) => void;
  /** It ended without being told to; all it has sent has arrived. Its place is taken again soon. */
  readonly onLost: () => void;
  /** It ended as it was told; all it has sent has arrived. */
  readonly onRetired: () => void;
}

// Beside this file and with its extension, so that sources and build both work.
const workerFile = new URL(`./worker${extname(import.meta.url)}`, import.meta.url);

const FIRST_DELAY_MS = 10;
const MAX_DELAY_MS = 5000;
/** A worker that was told to go home and holds nothing has this long: a handle of the user's may keep its thread alive. */
const RETIRE_TIMEOUT_MS = 1000;

type State = "vacant" | "starting" | "ready" | "retiring" | "stopped";

/** The main thread's side of one place in the pool: the worker that fills it, and the next one when that is lost. */
export class WorkerHost {
  /** The answers of the worker now in place. */
  answers: AnswerReader;
  /** Of all workers in this place: a worker's streams end with it. null until one of them has sent a stream. */
  streams: IncomingStreams | null = null;
  readonly #startup: StartupMessage;
  readonly #events: WorkerEvents;
  #thread: Worker | undefined;
  #state: State = "vacant";
  /** Whether the user's code in it is to be told of its end. */
  #closes = false;
  /** Doubles with every worker that is lost before it was ready: a module that fails when it is imported must not cost a core. */
  #delayMs = FIRST_DELAY_MS;
  /** Why the thread now in place was killed. */
  #killedFor: Error | undefined;

  constructor(startup: StartupMessage, events: WorkerEvents) {
    this.#startup = startup;
    this.#events = events;
    this.answers = this.#attach();
  }

  get isVacant(): boolean {
    return this.#state === "vacant";
  }

  /** Responses that are made while they are sent. */
  get openStreams(): number {
    return this.streams?.size ?? 0;
  }

  get isReady(): boolean {
    return this.#state === "ready";
  }

  /** Each worker numbers its header blocks anew, so each gets a reader of its own. */
  #attach(): AnswerReader {
    return new AnswerReader(attachAnswers(this.#startup.memory, this.#startup.worker), this);
  }

  /** Sends the worker a message; one that has ended does not miss it. */
  readonly post = (message: PoolMessage): void => {
    this.#thread?.postMessage(message);
  };

  /** Starts a thread; resolves when it takes requests, rejects when it ends before. */
  start(): Promise<void> {
    const { worker, shared } = this.#startup;
    const memoryMiB = shared.config.workerMemoryMiB;
    this.#state = "starting";
    this.#killedFor = undefined;
    this.answers = this.#attach();
    return new Promise((resolve, reject) => {
      const thread = new Worker(workerFile, {
        workerData: this.#startup,
        name: `loopool worker ${worker}`,
        ...(memoryMiB === null ? {} : { resourceLimits: { maxOldGenerationSizeMb: memoryMiB } }),
      });
      this.#thread = thread;
      let failure: unknown;
      let startFailure: LoopoolError | undefined;
      // Handlers can post here too: what is not the worker's own is nobody's.
      thread.on("message", (message: WorkerMessage | null | undefined) => {
        if (message?.type === "loopool:failed") {
          startFailure = new LoopoolError(message.code, message.message, message.exitCode);
        } else if (message?.type === "loopool:ready") {
          this.#state = "ready";
          this.#closes = message.routes.userCode?.closes ?? false;
          this.#delayMs = FIRST_DELAY_MS;
          this.#events.onReady(message);
          resolve();
        } else if (message?.type !== undefined) {
          this.#events.onMessage(message);
        }
      });
      thread.on("error", (error) => {
        failure = error;
      });
      thread.on("exit", (code) => {
        const cause = startFailure ?? failure ?? this.#killedFor ?? this.#exited(code);
        if (this.#state === "starting") reject(cause);
        this.#ended(cause);
      });
    });
  }

  /** Why it ended without an error: before it was ready, only a module of the user's can have done that. */
  #exited(code: number): Error {
    const { worker, shared } = this.#startup;
    const { handlers } = shared.config;
    if (this.#state === "starting" && handlers !== null) return endedByImport(handlers, code);
    return new Error(`worker ${worker} exited with code ${code}`);
  }

  #ended(cause: unknown): void {
    const before = this.#state;
    if (before === "stopped") return;
    this.#state = "vacant";
    if (before === "retiring") {
      this.#events.onRetired();
    } else if (before === "ready") {
      tellOperator(
        this.#startup.shared.config,
        `worker ${this.#startup.worker} was lost and is replaced: ${oneLine(messageOf(cause))}`,
      );
      this.#events.onLost();
      this.#restart();
    }
  }

  #restart(): void {
    this.#state = "starting";
    setTimeout(() => {
      if (this.#state === "stopped") return;
      this.start().catch((error: unknown) => {
        this.#delayMs = Math.min(this.#delayMs * 2, MAX_DELAY_MS);
        tellOperator(
          this.#startup.shared.config,
          `worker ${this.#startup.worker} does not start, next try in ${this.#delayMs} ms: ${oneLine(messageOf(error))}`,
        );
        this.#restart();
      });
    }, this.#delayMs).unref();
  }

  /** Ends a worker that is stuck, wherever it is; it is lost and replaced, unless it was to go anyway. `reason` is reported. */
  kill(reason: string): void {
    if (this.#state !== "ready" && this.#state !== "retiring") return;
    this.#killedFor ??= new Error(reason);
    this.#thread?.terminate();
  }

  /** The worker has been told to end. It may have found a last request first, which it finishes. */
  expectRetirement(holdsNothing: () => boolean): void {
    this.#state = "retiring";
    const thread = this.#thread!;
    const timeoutMs = RETIRE_TIMEOUT_MS + (this.#closes ? this.#startup.shared.config.drainTimeoutMs : 0);
    const timer = setInterval(() => holdsNothing() && thread.terminate(), timeoutMs).unref();
    thread.once("exit", () => clearInterval(timer));
  }

  /** Ends the thread for good, wherever it is, but for the user's code that wants to know of it: that has the time of a drain. */
  async stop(): Promise<void> {
    const thread = this.#thread;
    const isTold = this.#closes && this.#state === "ready";
    this.#state = "stopped";
    if (thread === undefined) return;
    if (isTold) {
      this.post({ type: "end-user-code" });
      await endedOrLate(thread, this.#startup.shared.config.drainTimeoutMs);
    }
    await thread.terminate();
  }
}

function endedOrLate(thread: Worker, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, timeoutMs);
    thread.once("exit", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
