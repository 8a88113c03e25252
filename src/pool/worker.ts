import { parentPort, workerData } from "node:worker_threads";
import { threadContext } from "../shared/handlers/context.js";
import { countUnhandledRejections, createDispatch } from "../shared/handlers/dispatch.js";
import type { HandlerResponse } from "../shared/handlers/handler.js";
import { AnswerWriter } from "./answer-codec.js";
import { attachAnswers, attachPool } from "./memory.js";
import type { StartupMessage, WorkerMessage } from "./messages.js";
import { readRequest } from "./request-codec.js";

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
const dispatch = await createDispatch(context);
countUnhandledRejections(context.stats);

const { requests, parking, doorbell } = attachPool(memory);
const answers = new AnswerWriter(attachAnswers(memory, worker));

/** Requests whose handler returned a promise that is not settled yet. */
let pending = 0;

/** How long this thread may go on without its event loop while promises are pending there. */
const MAX_TURN_MS = 1;

function work(): void {
  for (;;) {
    const startMs = pending > 0 ? performance.now() : 0;
    for (let slot = requests.claim(worker); slot !== -1; slot = requests.claim(worker)) {
      serve(slot);
      if (pending > 0 && performance.now() - startMs > MAX_TURN_MS) {
        setImmediate(work);
        return;
      }
    }
    parking.announce(worker);
    if (!requests.isEmpty) {
      parking.leave(worker);
      continue;
    }
    if (pending === 0) {
      parking.wait(worker);
      continue;
    }
    const woken = parking.waitAsync(worker);
    if (woken === undefined) continue;
    woken.then(work);
    return;
  }
}

function serve(slot: number): void {
  const response = dispatch(readRequest(requests, slot));
  if (response instanceof Promise) {
    pending++;
    response.then((late) => {
      pending--;
      answer(slot, late);
    });
  } else {
    answer(slot, response);
  }
}

/** The answer is visible before the bell is looked at: main looks at the answers again after arming it. */
function answer(slot: number, response: HandlerResponse): void {
  if (answers.write(slot, response)) {
    if (doorbell.press()) post({ type: "bell" });
  } else {
    post({ type: "answer", slot, status: response.status, fields: response.headers.fields, body: response.body });
  }
}

// A listener keeps the event loop alive while a promise of `waitAsync`, which does not, is all there is to wait for.
port.on("message", () => {});
parking.leave(worker);
post({ type: "ready" });
work();
