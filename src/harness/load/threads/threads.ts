import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { LoopoolError, messageOf } from "../../../shared/errors.js";
import { addressOf } from "../connection/address.js";
import type { LoadOptions } from "../request/options.js";
import { kindsOf } from "../request/source.js";
import type { RunResult } from "../result/run-result.js";
import { assignmentsOf } from "../run/assignment.js";
import type { Generator } from "../run/generator.js";
import { mergePartialResults } from "../run/merge.js";
import { Seconds, type ThreadSecond } from "../tally/series.js";
import { SharedRunState } from "../tally/shared-run-state.js";
import type { FromThread, ToThread } from "./messages.js";

// Beside this file and with its extension, so that sources and build both work.
const threadFile = new URL(`./thread${extname(import.meta.url)}`, import.meta.url);

/** From the last thread's being ready to the instant at which all begin: for the message to reach them, on a busy machine too. */
const LEAD_NS = 20_000_000n;

/** A generator of several threads. What they find is one result, as if one thread had found it. */
export class GeneratorThreads implements Generator {
  readonly #threads: readonly Thread[];

  /** `file` is what each thread runs. */
  constructor(threads: number, file: URL = threadFile) {
    this.#threads = Array.from({ length: threads }, (_, index) => new Thread(file, `${index + 1} of ${threads}`));
  }

  async warmUp(options: LoadOptions, signal?: AbortSignal): Promise<void> {
    await this.#ask(
      this.#threads,
      () => ({ type: "warm-up", options }),
      signal,
      () => answers(this.#threads, "warm"),
    );
  }

  async run(options: LoadOptions, signal?: AbortSignal): Promise<RunResult> {
    const address = await addressOf(options.target);
    // A warm-up may have fewer connections than there are threads.
    const threads = this.#threads.slice(0, options.concurrency);
    const assignments = assignmentsOf(options, address, threads.length);
    const seconds = new Seconds(threads.length);
    threads.forEach((thread, index) => {
      thread.onSecond = (second) => seconds.add(index, second);
    });
    const partials = await this.#ask(
      threads,
      (index) => ({ type: "run", assignment: assignments[index]! }),
      signal,
      async () => {
        await answers(threads, "ready");
        const atNs = process.hrtime.bigint() + LEAD_NS;
        for (const thread of threads) thread.tell({ type: "begin", atNs });
        return await answers(threads, "part");
      },
    );
    const { peakConnections } = new SharedRunState(assignments[0]!.memory, kindsOf(options).length);
    const whole = { peakConnections, perSecond: seconds.finish() };
    return mergePartialResults(
      options,
      partials.map(({ part }) => part),
      whole,
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.end()));
  }

  /** Has all threads begin something, and waits for what `answered` makes of it; tells them to stop when `signal` aborts before. */
  async #ask<T>(
    threads: readonly Thread[],
    message: (index: number) => ToThread,
    signal: AbortSignal | undefined,
    answered: () => Promise<T>,
  ): Promise<T> {
    const stop = (): void => {
      for (const thread of threads) thread.tell({ type: "stop" });
    };
    threads.forEach((thread, index) => {
      thread.tell(message(index));
    });
    // Not before they have begun: what is stopped is what they do at present.
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop, { once: true });
    try {
      return await answered();
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }
}

function answers<T extends FromThread["type"]>(threads: readonly Thread[], type: T): Promise<readonly Answer<T>[]> {
  return Promise.all(threads.map((thread) => thread.answer(type)));
}

type Answer<T extends FromThread["type"]> = Extract<FromThread, { readonly type: T }>;

interface Asked {
  readonly type: FromThread["type"];
  resolve(answer: FromThread): void;
  reject(error: LoopoolError): void;
}

/** One of the threads, as the main thread sees it. */
class Thread {
  readonly #worker: Worker;
  /** Whoever waits for an answer. */
  #asked: Asked | null = null;
  #failure: LoopoolError | null = null;
  onSecond: (second: ThreadSecond) => void = () => {};

  /** `name` is told where it ends before its time. */
  constructor(file: URL, name: string) {
    this.#worker = new Worker(file);
    let cause: string | null = null;
    this.#worker.on("error", (error) => {
      cause = messageOf(error);
    });
    this.#worker.on("exit", (code) => {
      this.#failure = new LoopoolError(
        "GENERATOR_THREAD",
        `thread ${name} of the generator ended (${cause ?? `exit code ${code}`}), the run is lost: use fewer --threads, or a smaller --concurrency`,
      );
      this.#asked?.reject(this.#failure);
    });
    this.#worker.on("message", (message: FromThread) => {
      if (message.type === "second") this.onSecond(message.second);
      else if (message.type === this.#asked?.type) this.#asked.resolve(message);
    });
  }

  tell(message: ToThread): void {
    this.#worker.postMessage(message);
  }

  /** Its next answer of this type, to what it was asked last. Rejects when it ends. */
  answer<T extends FromThread["type"]>(type: T): Promise<Answer<T>> {
    return new Promise<FromThread>((resolve, reject) => {
      this.#asked = { type, resolve, reject };
      if (this.#failure !== null) reject(this.#failure);
    }) as Promise<Answer<T>>;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
