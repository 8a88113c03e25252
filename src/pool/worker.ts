import { parentPort, workerData } from "node:worker_threads";
import { threadClock } from "../shared/clock.js";
import { LoopoolError } from "../shared/errors.js";
import { threadContext } from "../shared/handlers/context.js";
import { countUnhandledRejections, createDispatch } from "../shared/handlers/dispatch.js";
import type { HandlerResponse } from "../shared/handlers/handler.js";
import { RequestReader } from "../shared/request-codec.js";
import { type AnswerTag, AnswerWriter } from "./answer-codec.js";
import { attachAnswers, attachPool } from "./memory.js";
import type { StartupMessage, WorkerMessage } from "./messages.js";

/**
 * A worker thread: claims requests from the shared ring, runs their handlers, publishes the answers.
 *
 * While no promise is pending it sleeps in Atomics.wait, the cheapest sleep there is, in which no timer and no I/O of this
 * thread runs. While one is pending it goes back to its event loop between requests and waits asynchronously.
 */
const { worker, memory, shared } = workerData as StartupMessage;
const port = parentPort!;
const post = (message: WorkerMessage): void => port.postMessage(message);

const context = threadContext(shared, 1 + worker);
const dispatch = await createDispatch(context).catch((error: unknown) => {
  if (error instanceof LoopoolError) {
    const { code, message, exitCode } = error;
    post({ type: "failed", code, message, exitCode });
  }
  throw error;
});
countUnhandledRejections(context.stats);

const { requests, parking, doorbell } = attachPool(memory);
const reader = new RequestReader(requests, memory.longRequests);
const nowMs = threadClock();
const answers = new AnswerWriter(attachAnswers(memory, worker));

/** Requests whose handler returned a promise that is not settled yet. */
let pending = 0;

/** How long this thread may go on without its event loop while promises are pending there. */
const MAX_TURN_MS = 1;

/** Requests that may be pending in this worker at once; what comes then is for the others, or waits in the ring. */
const MAX_PENDING = 1024;
/** It has as many pending as it may, or was told to end while some are: it goes on when one of them is settled. */
let resting = false;

function work(): void {
  for (;;) {
    resting = pending >= MAX_PENDING;
    if (resting) return;
    const startMs = pending > 0 ? performance.now() : 0;
    for (let slot = requests.claim(worker); slot !== -1; slot = requests.claim(worker)) {
      serve(slot);
      if (pending >= MAX_PENDING || (pending > 0 && performance.now() - startMs > MAX_TURN_MS)) {
        setImmediate(work);
        return;
      }
    }
    if (!parking.announce(worker)) {
      resting = pending > 0;
      // Nothing is held: the thread ends as soon as the user's own handles let it.
      if (!resting) port.close();
      return;
    }
    if (!requests.isEmpty) {
      parking.leave(worker);
      continue;
    }
    if (pending > 0) {
      const woken = parking.waitAsync(worker);
      if (woken !== undefined) {
        woken.then(work);
        return;
      }
    } else {
      parking.wait(worker);
    }
  }
}

function serve(slot: number): void {
  const turn = requests.turn(slot);
  const claimedMs = reader.isMeasured(slot) ? nowMs() : 0;
  const request = reader.read(slot);
  // Main gave up on it while it was being read: what was read may be half another request. The turn alone would not tell: it may have
  // changed before the first look at it. The owner does: nobody else writes this worker's id, and it claims nothing meanwhile.
  if (requests.ownerOf(slot) !== worker) return;
  parking.note(worker, 1 + slot);
  const response = dispatch(request);
  parking.note(worker, 0);
  if (response instanceof Promise) {
    pending++;
    response.then((late) => {
      pending--;
      if (resting) {
        resting = false;
        setImmediate(work);
      }
      answer({ slot, turn, claimedMs, doneMs: claimedMs > 0 ? nowMs() : 0 }, late);
    });
  } else {
    answer({ slot, turn, claimedMs, doneMs: claimedMs > 0 ? nowMs() : 0 }, response);
  }
}

/** The answer is visible before the bell is looked at: main looks at the answers again after arming it. */
function answer(tag: AnswerTag, response: HandlerResponse): void {
  if (answers.write(tag, response)) {
    if (doorbell.press()) post({ type: "bell" });
  } else {
    const { status, headers, body, pin = -1 } = response;
    // Without a pin, bytes of the cache are this thread's only until it goes on.
    const isPassing = pin === -1 && body instanceof Uint8Array && body.buffer === context.cache.memory;
    post({ type: "answer", tag, status, fields: headers.fields, body: isPassing ? Uint8Array.from(body) : body, pin });
  }
}

// A listener keeps the event loop alive while a promise of `waitAsync`, which does not, is all there is to wait for.
port.on("message", () => {});
parking.enter(worker);
post({ type: "ready", headerTable: dispatch.headerTable });
work();
