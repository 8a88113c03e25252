import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { LogStartup } from "../access-log/memory.js";
import { messageOf } from "../shared/errors.js";
import type { SharedState } from "../shared/handlers/context.js";
import { SLEEPER_BYTES, Sleeper } from "../shared/memory/sleeper.js";
import type { ListeningAddress } from "../stats-mirror/format.js";

/** What the background thread is given; a log that is null is not wanted. */
export interface BackgroundStartup {
  readonly shared: SharedState;
  /** Its slot of the stats segment. */
  readonly slot: number;
  /** Where the server listens. */
  readonly listeningAddress: ListeningAddress;
  readonly sleeper: SharedArrayBuffer;
  readonly log: LogStartup | null;
}

// Beside this file and with its extension, so that sources and build both work.
const threadFile = new URL(`./thread${extname(import.meta.url)}`, import.meta.url);

/** How long a thread that was terminated may take to end: one inside a system call cannot be. */
const TERMINATE_MS = 1000;

/** The main thread's side of the background thread. */
export class Background {
  readonly #thread: Worker;
  readonly #ended: Promise<void>;
  readonly #sleeper: Sleeper;
  #stopping = false;

  private constructor(thread: Worker, sleeper: Sleeper, onLost: (cause: string) => void) {
    this.#thread = thread;
    this.#sleeper = sleeper;
    let cause = "it exited";
    thread.on("error", (error) => {
      cause = messageOf(error);
    });
    this.#ended = new Promise((resolve) => {
      thread.on("exit", () => {
        if (!this.#stopping) onLost(cause);
        resolve();
      });
    });
  }

  /** Starts the thread; resolves when its jobs run, rejects when it ends before. `onLost` is called if it ends later without being told to. */
  static async start(startup: BackgroundStartup, onLost: (cause: string) => void): Promise<Background> {
    // It owns descriptors that main opened, which Node would otherwise warn of.
    const thread = new Worker(threadFile, {
      workerData: startup,
      name: "loopool background",
      trackUnmanagedFds: false,
    });
    await new Promise<void>((resolve, reject) => {
      thread.once("message", () => resolve());
      thread.once("error", reject);
      thread.once("exit", () => reject(new Error("the background thread ended at its start")));
    });
    thread.removeAllListeners();
    return new Background(thread, new Sleeper(startup.sleeper), onLost);
  }

  /** Lets the jobs finish and ends the thread; after `timeoutMs`, wherever it is. */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopping = true;
    this.#sleeper.end();
    if (await this.#endsWithin(timeoutMs)) return;
    this.#thread.terminate();
    await this.#endsWithin(TERMINATE_MS);
  }

  async #endsWithin(timeoutMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<boolean>((resolve) => {
      timer = setTimeout(resolve, timeoutMs, false);
    });
    const ended = await Promise.race([this.#ended.then(() => true), timeout]);
    clearTimeout(timer);
    return ended;
  }
}

/** Allocates what the thread sleeps on: a job's other side may want to wake it before it runs. */
export function createSleeper(): SharedArrayBuffer {
  return new SharedArrayBuffer(SLEEPER_BYTES);
}
