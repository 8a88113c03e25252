import type { BodyCollector, Core, CoreModule, Reply } from "../core.js";
import type { Loading } from "../shared/cache/loading.js";
import type { SharedCache } from "../shared/cache/shared-cache.js";
import { threadClock } from "../shared/clock.js";
import type { ServerConfig } from "../shared/config.js";
import { discard } from "../shared/dispatch/discard.js";
import { usageError } from "../shared/errors.js";
import { tellOperator } from "../shared/failure-log.js";
import type { HandlerContext } from "../shared/handlers/context.js";
import { type HandlerResponse, isStreamBody, type StreamBody } from "../shared/handlers/handler.js";
import type { ServerRequest } from "../shared/handlers/request.js";
import { NO_ROUTES, type Route, routeIn, type UserCodeFacts } from "../shared/handlers/route.js";
import type { ClaimRing } from "../shared/memory/claim-ring.js";
import type { Doorbell } from "../shared/memory/doorbell.js";
import type { Parking } from "../shared/memory/parking.js";
import { withErrorPage } from "../shared/static/error-page.js";
import { PhaseRecorder } from "../shared/stats/phases.js";
import { Counter, type ThreadStats } from "../shared/stats/stats.js";
import type { StatusSegment } from "../shared/stats/status-segment.js";
import type { WorkersView } from "../shared/stats/worker-states.js";
import { type AnswerTag, headerBlockOf } from "./answer-codec.js";
import { replaceInattentive } from "./attention.js";
import { attachPool, createPoolMemory } from "./memory.js";
import type { AnswerMessage, WorkerMessage } from "./messages.js";
import { OutgoingUploads } from "./outgoing-uploads.js";
import { BODIES_TOO_LARGE, OVERLOADED, TIMED_OUT, WAITED_TOO_LONG, WORKER_LOST } from "./refusals.js";
import { RequestWriter } from "./request-writer.js";
import type { StreamReceiver } from "./stream-receiver.js";
import { WakeUpBatcher } from "./wake-up-batcher.js";
import { WorkerHost } from "./worker-host.js";

/** Answers that one tick of the event loop sends at most, so that new requests are not kept waiting. */
const MAX_ANSWERS_PER_TICK = 512;

/** Handlers run in worker threads, fed through one bounded ring in shared memory. */
export const pool: CoreModule = {
  name: "pool",
  threads: ({ workers }) => workers.max,
  start: (context) => Pool.start(context),
};

/** Of the bodies of requests that are queued: what is set, or four of the largest ones and a page for each of many small ones. */
const DEFAULT_BODY_MEMORY_BYTES = 64 * 2 ** 20;
const MAX_BODY_MEMORY_BYTES = 2 ** 30;

function bodyMemoryOf({ bodyMemoryBytes, limits }: ServerConfig): number {
  const { maxBodyBytes, maxHeadBytes } = limits;
  const bytes =
    bodyMemoryBytes ?? Math.min(MAX_BODY_MEMORY_BYTES, Math.max(DEFAULT_BODY_MEMORY_BYTES, 4 * maxBodyBytes));
  // Each byte of a head may become a replacement character of three.
  const largestBytes = maxBodyBytes + 3 * maxHeadBytes;
  if (bytes >= largestBytes) return bytes;
  const remedy = largestBytes <= MAX_BODY_MEMORY_BYTES ? `use at least ${largestBytes}, or` : "use";
  throw usageError(
    `--body-memory ${bytes} has no room for a body of --max-body ${maxBodyBytes}: ${remedy} a smaller --max-body`,
  );
}

/** Whether a message is for the streams of its worker. */
function isOfStream(message: WorkerMessage): boolean {
  if (message.type === "loopool:chunk" || message.type === "loopool:end") return true;
  return message.type === "loopool:answer" && typeof message.body === "object" && "stream" in message.body;
}

class Pool implements Core {
  readonly workersView: WorkersView;
  readonly #stats: ThreadStats;
  readonly #cache: SharedCache;
  readonly #loading: Loading;
  readonly #phases: PhaseRecorder;
  readonly #ring: ClaimRing;
  readonly #requests: RequestWriter;
  readonly #parking: Parking;
  readonly #status: StatusSegment;
  readonly #doorbell: Doorbell;
  readonly #wakeUps: WakeUpBatcher;
  readonly #hosts: readonly WorkerHost[];
  readonly #nowMs = threadClock();
  /** By slot: who waits for its answer, and since when (ms of the common clock). */
  readonly #replies: (Reply | undefined)[] = [];
  readonly #publishedMs: Float64Array;
  /** Bodies that handlers read while they arrive, and by slot the number of its request's; 0: none. */
  readonly #uploads = new OutgoingUploads();
  readonly #uploadOf: Int32Array;
  #streamsLoading: Promise<void> | null = null;
  /** By worker: requests that it took and that it holds no more. Once it has ended these are all that it took. */
  readonly #released: Int32Array;
  /** The time when the first request of this tick of the event loop was published. */
  #tickMs = 0;
  readonly #timers: NodeJS.Timeout[];
  readonly #workerLost: HandlerResponse;
  /** As the worker that became ready last has it: one at least has before the first request comes. */
  #routes = NO_ROUTES;

  static async start(context: HandlerContext): Promise<Pool> {
    const created = new Pool(context, await withErrorPage(WORKER_LOST, context.shared.config));
    const { min } = context.shared.config.workers;
    try {
      await Promise.all(created.#hosts.slice(0, min).map((host) => host.start()));
    } catch (error) {
      await created.stop();
      throw error;
    }
    await created.#scale(context);
    created.#collect();
    return created;
  }

  /** Loads what starts and ends workers by the load, where their number may change. */
  async #scale({ shared }: HandlerContext): Promise<void> {
    const { workers, workerIdleMs } = shared.config;
    if (workers.min === workers.max) return;
    const { scaleWorkers } = await import("./scaling.js");
    const tell = (line: string): void => tellOperator(shared.config, line);
    const options = { min: workers.min, idleMs: workerIdleMs, tell };
    this.#timers.push(scaleWorkers(this.#hosts, this.#ring, this.#parking, shared.stats, options));
  }

  private constructor({ shared, stats, cache, loading }: HandlerContext, workerLost: HandlerResponse) {
    this.#cache = cache;
    this.#loading = loading;
    const { workers, queue, requestTimeoutMs } = shared.config;
    const memory = createPoolMemory(workers.max, queue, bodyMemoryOf(shared.config));
    const attached = attachPool(memory);
    ({ requests: this.#ring, parking: this.#parking, status: this.#status, doorbell: this.#doorbell } = attached);
    this.#requests = new RequestWriter(this.#ring, attached.arena, (bytes) => stats.set(Counter.bodyMemory, bytes));
    this.#wakeUps = new WakeUpBatcher(this.#parking);
    this.#stats = stats;
    this.#workerLost = workerLost;
    this.#phases = new PhaseRecorder(shared.phases);
    this.#publishedMs = new Float64Array(queue);
    this.#uploadOf = new Int32Array(queue);
    this.workersView = { workers: workers.max, status: memory.status };
    this.#released = new Int32Array(workers.max);
    const countWorkers = (): void => {
      stats.set(Counter.workers, this.#hosts.filter((host) => host.isReady).length);
      this.#hosts.forEach((host, worker) => {
        this.#status.setPresence(worker, host.isReady);
      });
    };
    this.#hosts = Array.from({ length: workers.max }, (_, worker) => {
      const startup = { worker, memory, shared: { ...shared, workersView: this.workersView } };
      return new WorkerHost(startup, {
        onMessage: (message) => this.#onMessage(worker, message),
        onReady: ({ routes }) => {
          this.#routes = routes;
          countWorkers();
        },
        onRetired: () => {
          countWorkers();
          this.#recover(worker);
        },
        onLost: () => {
          countWorkers();
          this.#stats.add(Counter.workersLost, 1);
          this.#recover(worker);
        },
      });
    });
    this.#timers = [
      ...(requestTimeoutMs === null ? [] : [this.#watch(requestTimeoutMs)]),
      replaceInattentive(this.#hosts, this.#ring, this.#parking, requestTimeoutMs),
    ];
  }

  get userCode(): UserCodeFacts | null {
    return this.#routes.userCode;
  }

  routeOf(_method: string, path: string): Route {
    return routeIn(this.#routes, path);
  }

  collectBody(request: ServerRequest): BodyCollector | null {
    return this.#requests.collect(request);
  }

  submit(request: ServerRequest, reply: Reply): void {
    const slot = this.#ring.reserve();
    if (slot === -1) {
      this.#requests.discard(request);
      this.#shed(reply, OVERLOADED);
      return;
    }
    const measured = this.#phases.isDue;
    const upload = request.stream === null ? 0 : this.#uploads.open(request.stream);
    if (!this.#requests.write(slot, request, measured, upload)) {
      this.#uploads.close(upload);
      this.#shed(reply, BODIES_TOO_LARGE);
      return;
    }
    this.#uploadOf[slot] = upload;
    if (this.#wakeUps.isQuiet) this.#tickMs = this.#nowMs();
    this.#wakeUps.add();
    this.#replies[slot] = reply;
    reply.ticket = slot;
    this.#publishedMs[slot] = measured ? this.#nowMs() : this.#tickMs;
    this.#status.enter();
    this.#ring.publish(slot);
  }

  #shed(reply: Reply, refusal: HandlerResponse): void {
    this.#stats.add(Counter.shed, 1);
    reply.send(refusal);
  }

  abandon(reply: Reply): void {
    const slot = reply.ticket;
    if (this.#replies[slot] !== reply) return;
    if (this.#revoke(slot)) {
      this.#replies[slot] = undefined;
      this.#stats.add(Counter.dropped, 1);
    } else {
      this.#abortSignal(slot);
    }
  }

  /** Tells the worker that has a request that nobody waits for it, if its handler has asked. */
  #abortSignal(slot: number): void {
    if (!this.#requests.abandon(slot)) return;
    this.#hosts[this.#ring.ownerOf(slot)]?.post({ type: "gone", slot, generation: this.#ring.generation(slot) });
  }

  #onMessage(worker: number, message: Exclude<WorkerMessage, { type: "loopool:ready" | "loopool:failed" }>): void {
    const { streams, answers, post } = this.#hosts[worker]!;
    if (streams === null && isOfStream(message)) {
      // In their order: each waits for the same promise.
      this.#loadStreams().then(() => this.#onMessage(worker, message));
      return;
    }
    switch (message.type) {
      case "loopool:wake-up":
        this.#collect();
        break;
      case "loopool:answer":
        this.#answerByMessage(worker, message);
        break;
      case "loopool:chunk":
      case "loopool:end":
        // What the worker has written to the ring before comes first.
        while (answers.read(this.#answer)) {}
        if (message.type === "loopool:chunk") streams!.chunkByMessage(message.stream, message.chunk);
        else streams!.end(message.stream, message.failure);
        break;
      case "loopool:pull":
        this.#uploads.pull(message.upload, message.credit, post);
        break;
      case "loopool:close-upload":
        this.#uploads.close(message.upload);
        break;
    }
  }

  /** Few servers have handlers that stream: the first head loads what that needs. Its worker sends all of it by message until then. */
  #loadStreams(): Promise<void> {
    this.#streamsLoading ??= import("./incoming-streams.js").then(({ IncomingStreams }) => {
      for (const host of this.#hosts) host.streams = new IncomingStreams(host.post);
    });
    return this.#streamsLoading;
  }

  #answerByMessage(worker: number, { tag, status, fields, body, pin }: AnswerMessage): void {
    const { streams } = this.#hosts[worker]!;
    const head = { status, headers: headerBlockOf(fields) };
    if (typeof body === "object" && "stream" in body) {
      const stream = streams!.open(body.stream, body.bytes);
      streams!.headByMessage(body.stream);
      this.#answer(tag, { ...head, body: stream });
    } else if (pin === -1) {
      this.#answer(tag, { ...head, body });
    } else {
      this.#cache.adopt(pin, 1 + worker);
      this.#answer(tag, { ...head, body, pin });
    }
  }

  /**
   * Sends what the workers have answered, a bounded number each tick. The doorbell is off while it runs or is scheduled to run;
   * when nothing is left it arms the doorbell and looks once more, for answers that came before a worker could see it armed.
   */
  readonly #collect = (): void => {
    this.#doorbell.disarm();
    if (this.#sendAnswers() < MAX_ANSWERS_PER_TICK) {
      this.#doorbell.arm();
      if (this.#hosts.every((host) => host.answers.isEmpty)) return;
      this.#doorbell.disarm();
    }
    setImmediate(this.#collect);
  };

  #sendAnswers(): number {
    let sent = 0;
    for (const host of this.#hosts) {
      while (sent < MAX_ANSWERS_PER_TICK && host.answers.read(this.#answer)) sent++;
    }
    return sent;
  }

  /** An answer to a request that was given up is not for whoever has the slot now. */
  readonly #answer = (tag: AnswerTag, response: HandlerResponse): void => {
    if (tag.generation !== this.#ring.generation(tag.slot)) {
      discard(response, this.#cache);
      return;
    }
    if (tag.claimedMs === 0) {
      this.#settle(tag.slot, response);
      return;
    }
    const collectedMs = this.#nowMs();
    const waitMs = tag.claimedMs - this.#publishedMs[tag.slot]!;
    this.#settle(tag.slot, response);
    this.#phases.record(waitMs, tag.doneMs - tag.claimedMs, collectedMs - tag.doneMs, this.#nowMs() - collectedMs);
  };

  /** Takes back a request that no worker has taken yet; false when one was faster. */
  #revoke(slot: number): boolean {
    if (!this.#ring.revoke(slot)) return false;
    this.#free(slot);
    this.#status.revoke();
    return true;
  }

  /** What a request has beside its slot. */
  #free(slot: number): void {
    this.#requests.free(slot);
    const upload = this.#uploadOf[slot]!;
    if (upload === 0) return;
    this.#uploadOf[slot] = 0;
    this.#uploads.close(upload);
  }

  /** Ends a request that nobody works on any more. The body may lie in the answering worker's ring, never in the slot. */
  #settle(slot: number, response: HandlerResponse): void {
    const reply = this.#replies[slot];
    this.#replies[slot] = undefined;
    if (isStreamBody(response.body)) this.#beginStream(slot, response.body, reply);
    this.#free(slot);
    this.#released[this.#ring.ownerOf(slot)]! += 1;
    this.#ring.release(slot);
    if (reply === undefined) discard(response, this.#cache);
    else reply.send(response);
  }

  /** A response that outlives its slot. Its handler may read its request until it has ended. */
  #beginStream(slot: number, { chunks }: StreamBody, client: Reply | undefined): void {
    // Of the pool's responses only those of its workers are streams.
    const receiver = chunks as StreamReceiver;
    if (client !== undefined) receiver.client = client;
    const upload = this.#uploadOf[slot]!;
    if (upload === 0) return;
    this.#uploadOf[slot] = 0;
    receiver.whenEnded(() => this.#uploads.close(upload));
  }

  /** A worker has ended: what it had answered is sent, what it still held is answered with 500, and its slots are free again. */
  #recover(worker: number): void {
    // It may have taken the doorbell without waking main. A bound of one tick must not leave answers of a reader that is about to go.
    while (this.#hosts[worker]!.answers.read(this.#answer)) {}
    this.#collect();
    this.#hosts[worker]!.streams?.fail("the worker ended before the response was complete");
    for (const slot of this.#ring.heldBy(worker)) this.#settle(slot, this.#workerLost);
    this.#status.setTaken(worker, this.#released[worker]!);
    this.#cache.recover(1 + worker);
    this.#loading.recover(1 + worker);
    // A wake-up may have been spent on it while requests wait.
    this.#parking.wake(this.#hosts.length);
  }

  /** Looks for requests that have waited too long: a timer per request would cost more than the request. */
  #watch(timeoutMs: number): NodeJS.Timeout {
    const look = (): void => {
      const latestMs = this.#nowMs() - timeoutMs;
      for (let slot = 0; slot < this.#ring.slots; slot++) {
        if (this.#replies[slot] !== undefined && this.#publishedMs[slot]! < latestMs) this.#expire(slot);
      }
    };
    return setInterval(look, Math.min(1000, Math.max(5, timeoutMs / 10))).unref();
  }

  /**
   * Answers a request that took too long. Nobody had it yet: 503, the queue is too slow. A worker runs it and nothing else: 504, and that
   * worker is stuck and ended; the slot comes free with it. A worker waits for its promise: 504, and the answer is not waited for.
   */
  #expire(slot: number): void {
    const reply = this.#replies[slot];
    this.#replies[slot] = undefined;
    this.#stats.add(Counter.timedOut, 1);
    if (this.#revoke(slot)) {
      reply?.send(WAITED_TOO_LONG);
      return;
    }
    const owner = this.#ring.ownerOf(slot);
    if (this.#parking.taskOf(owner) === 1 + slot) {
      this.#hosts[owner]?.kill("a request took longer than --request-timeout");
    } else {
      this.#abortSignal(slot);
      this.#free(slot);
      this.#released[owner]! += 1;
      this.#ring.withdraw(slot);
    }
    reply?.send(TIMED_OUT);
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all(this.#hosts.map((host) => host.stop()));
    for (const { streams } of this.#hosts) streams?.fail("the server has stopped");
  }
}
