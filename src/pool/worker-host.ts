import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { messageOf } from "../shared/errors.js";
import { AnswerReader } from "./answer-codec.js";
import { attachAnswers } from "./memory.js";
import type { AnswerMessage, StartupMessage, WorkerMessage } from "./messages.js";

/** What a worker tells the pool. */
export interface WorkerEvents {
  readonly onBell: () => void;
  readonly onAnswer: (message: AnswerMessage) => void;
  /** It ended without being told to; all it has sent has arrived. Its place is taken again soon. */
  readonly onLost: () => void;
}

// Beside this file and with its extension, so that sources and build both work.
const workerFile = new URL(`./worker${extname(import.meta.url)}`, import.meta.url);

const FIRST_DELAY_MS = 10;
const MAX_DELAY_MS = 5000;

/** The main thread's side of one place in the pool: the worker that fills it, and the next one when that is lost. */
export class WorkerHost {
  /** The answers of the worker now in place. */
  answers: AnswerReader;
  readonly #startup: StartupMessage;
  readonly #events: WorkerEvents;
  #thread: Worker | undefined;
  #stopping = false;
  /** Doubles with every worker that is lost before it was ready; a handler that fails at its start must not cost a core. */
  #delayMs = FIRST_DELAY_MS;

  constructor(startup: StartupMessage, events: WorkerEvents) {
    this.#startup = startup;
    this.#events = events;
    this.answers = this.#attach();
  }

  /** Each worker numbers its header blocks anew, so each gets a reader of its own. */
  #attach(): AnswerReader {
    return new AnswerReader(attachAnswers(this.#startup.memory, this.#startup.worker));
  }

  /** Starts a thread; resolves when it takes requests, rejects when it ends before. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const thread = new Worker(workerFile, {
        workerData: this.#startup,
        name: `loopool worker ${this.#startup.worker}`,
      });
      this.#thread = thread;
      let failure: unknown;
      let ready = false;
      thread.on("message", (message: WorkerMessage) => {
        if (message.type === "bell") {
          this.#events.onBell();
        } else if (message.type === "answer") {
          this.#events.onAnswer(message);
        } else {
          ready = true;
          this.#delayMs = FIRST_DELAY_MS;
          resolve();
        }
      });
      thread.on("error", (error) => {
        failure = error;
      });
      thread.on("exit", (code) => {
        if (this.#stopping) return;
        if (ready) this.#replace(failure ?? new Error(`it exited with code ${code}`));
        else
          reject(failure ?? new Error(`worker ${this.#startup.worker} exited with code ${code} before it was ready`));
      });
    });
  }

  #replace(cause: unknown): void {
    console.error(`loopool: worker ${this.#startup.worker} was lost and is replaced: ${messageOf(cause)}`);
    this.#events.onLost();
    this.answers = this.#attach();
    this.#restart();
  }

  #restart(): void {
    setTimeout(() => {
      if (this.#stopping) return;
      this.start().catch((error: unknown) => {
        this.#delayMs = Math.min(this.#delayMs * 2, MAX_DELAY_MS);
        console.error(
          `loopool: worker ${this.#startup.worker} does not start, next try in ${this.#delayMs} ms: ${messageOf(error)}`,
        );
        this.#restart();
      });
    }, this.#delayMs).unref();
  }

  /** Ends the thread, wherever it is. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#thread?.terminate();
  }
}
