import type { Core, CoreModule, Reply } from "../core.js";
import type { HandlerContext } from "../shared/handlers/context.js";
import { type HandlerRequest, type HandlerResponse, HeaderBlock, textResponse } from "../shared/handlers/handler.js";
import { Field } from "../shared/stats.js";
import { headerBlockOf } from "./answer-codec.js";
import { attachPool, createPoolMemory } from "./memory.js";
import type { AnswerMessage } from "./messages.js";
import { writeRequest } from "./request-codec.js";
import { WorkerHost } from "./worker-host.js";

const OVERLOADED: HandlerResponse = {
  status: 503,
  headers: new HeaderBlock({
    "Content-Type": "text/plain; charset=utf-8",
    "Cache-Control": "no-store",
    "Retry-After": "1",
  }),
  body: "503 Service Unavailable: the queue is full\n",
};
const TOO_LONG = textResponse(414, "414 URI Too Long");
const WORKER_LOST = textResponse(500, "500 Internal Server Error: the worker ended before it answered");

/** Answers that one turn of the event loop sends at most, so that new requests are not kept waiting. */
const MAX_ANSWERS_PER_TURN = 512;

/**
 * A wake-up waits for further turns of the loop while each brings more requests, but for no more than these: a larger batch for one
 * wake-up is worth some µs. Measured at c=100 on one CPU for server and worker: 1.15 to 1.2 × the requests/s of waking every turn;
 * eight turns serve no more than two, and c=10 then loses.
 */
const MAX_GATHER_TURNS = 2;

/** Handlers run in worker threads, fed through one bounded ring in shared memory. */
export const pool: CoreModule = {
  name: "pool",
  threads: ({ workers }) => workers,
  start: (context) => Pool.start(context),
};

class Pool implements Core {
  readonly #context: HandlerContext;
  readonly #ring;
  readonly #parking;
  readonly #doorbell;
  readonly #hosts: readonly WorkerHost[];
  /** By slot: who waits for its answer. */
  readonly #replies: (Reply | undefined)[] = [];
  /** Requests published since workers were last woken. */
  #unannounced = 0;
  /** How many of them the turn before knew, and how many turns they have waited. */
  #gathered = 0;
  #turns = 0;

  static async start(context: HandlerContext): Promise<Pool> {
    const created = new Pool(context);
    try {
      await Promise.all(created.#hosts.map((host) => host.start()));
    } catch (error) {
      await created.stop();
      throw error;
    }
    created.#collect();
    return created;
  }

  private constructor(context: HandlerContext) {
    this.#context = context;
    const { workers, queue } = context.shared.config;
    const memory = createPoolMemory(workers, queue);
    ({ requests: this.#ring, parking: this.#parking, doorbell: this.#doorbell } = attachPool(memory));
    this.#hosts = Array.from(
      { length: workers },
      (_, worker) =>
        new WorkerHost(
          { worker, memory, shared: context.shared },
          {
            onBell: this.#collect,
            onAnswer: (message) => this.#takeMessage(message),
            onLost: () => this.#recover(worker),
          },
        ),
    );
  }

  submit(request: HandlerRequest, reply: Reply): void {
    const slot = this.#ring.reserve();
    if (slot === -1) {
      this.#context.stats.add(Field.shed, 1);
      reply.send(OVERLOADED);
      return;
    }
    if (!writeRequest(this.#ring, slot, request)) {
      reply.send(TOO_LONG);
      return;
    }
    this.#replies[slot] = reply;
    this.#ring.publish(slot);
    // One wake-up for all requests that this turn of the loop brings.
    if (this.#unannounced++ === 0) setImmediate(this.#announce);
  }

  /** Wakes the workers, once a turn of the loop has brought nothing new or enough turns have passed. */
  readonly #announce = (): void => {
    if (this.#unannounced > this.#gathered && this.#turns < MAX_GATHER_TURNS) {
      this.#gathered = this.#unannounced;
      this.#turns++;
      setImmediate(this.#announce);
      return;
    }
    this.#parking.wake(this.#unannounced);
    this.#unannounced = 0;
    this.#gathered = 0;
    this.#turns = 0;
  };

  /**
   * Sends what the workers have answered, a bounded number each turn. The bell is off while it runs or is scheduled to run;
   * when nothing is left it arms the bell and looks once more, for answers that came before a worker could see it armed.
   */
  readonly #collect = (): void => {
    this.#doorbell.disarm();
    if (this.#sendAnswers() < MAX_ANSWERS_PER_TURN) {
      this.#doorbell.arm();
      if (this.#hosts.every((host) => host.answers.isEmpty)) return;
      this.#doorbell.disarm();
    }
    setImmediate(this.#collect);
  };

  #sendAnswers(): number {
    let sent = 0;
    for (const host of this.#hosts) {
      while (sent < MAX_ANSWERS_PER_TURN && host.answers.read(this.#answer)) sent++;
    }
    return sent;
  }

  /** The slot is free before the answer is written, and its bytes are the worker's own ring's, so nothing is overwritten. */
  readonly #answer = (slot: number, response: HandlerResponse): void => {
    const reply = this.#replies[slot];
    this.#replies[slot] = undefined;
    this.#ring.release(slot);
    reply?.send(response);
  };

  #takeMessage({ slot, status, fields, body }: AnswerMessage): void {
    this.#answer(slot, { status, headers: headerBlockOf(fields), body });
  }

  /** A worker has ended: what it had answered is sent, what it still held is answered with 500, and its slots are free again. */
  #recover(worker: number): void {
    this.#context.stats.add(Field.workersLost, 1);
    // It may have taken the bell without ringing.
    this.#collect();
    for (const slot of this.#ring.heldBy(worker)) this.#answer(slot, WORKER_LOST);
    // A wake-up may have been spent on it while requests wait.
    this.#parking.wake(this.#hosts.length);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.stop()));
  }
}
