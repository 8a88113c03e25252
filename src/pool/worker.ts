import type { FileHandle } from "node:fs/promises";
import { parentPort, workerData } from "node:worker_threads";
import { threadClock } from "../shared/clock.js";
import { discard, endStream } from "../shared/dispatch/discard.js";
import { countUnhandledRejections, createDispatch } from "../shared/dispatch/dispatch.js";
import { LoopoolError, messageOf } from "../shared/errors.js";
import { tellOperator } from "../shared/failure-log.js";
import { threadContext } from "../shared/handlers/context.js";
import { type HandlerResponse, isFileBody, isStreamBody, type StreamBody } from "../shared/handlers/handler.js";
import type { ServerRequest } from "../shared/handlers/request.js";
import { type AnswerTag, AnswerWriter } from "./answer-codec.js";
import { IncomingUploads } from "./incoming-uploads.js";
import { attachAnswers, attachPool } from "./memory.js";
import type { PoolMessage, StartupMessage, WorkerMessage } from "./messages.js";
import { OutgoingStreams } from "./outgoing-streams.js";
import { RequestReader } from "./request-reader.js";
import { WorkLoop } from "./work-loop.js";

/** A worker thread: claims requests from the shared ring, runs their handlers, publishes the answers. work-loop.ts says when. */
const { worker, memory, shared } = workerData as StartupMessage;
const port = parentPort!;
const post = (message: WorkerMessage, moved: readonly (ArrayBuffer | FileHandle)[] = []): void =>
  port.postMessage(message, moved);

const context = threadContext(shared, 1 + worker);
const dispatch = await createDispatch(context).catch((error: unknown) => {
  if (error instanceof LoopoolError) {
    const { code, message, exitCode } = error;
    post({ type: "loopool:failed", code, message, exitCode });
  }
  throw error;
});
countUnhandledRejections(context.stats, shared.config);

const { requests, arena, parking, status, doorbell } = attachPool(memory);
const uploads = new IncomingUploads(post);
const reader = new RequestReader(requests, arena, uploads);
const nowMs = threadClock();
const answers = new AnswerWriter(attachAnswers(memory, worker));

const loop = new WorkLoop({
  worker,
  requests,
  parking,
  serve,
  // The thread ends as soon as the user's own handles let it.
  onRetired: () => void dispatch.close().then(() => port.close()),
  onFailed: (error) => {
    tellOperator(shared.config, `worker ${worker} failed: ${messageOf(error)}`);
    process.exit(1);
  },
});

const streams = new OutgoingStreams({ answers, ring: wakeMain, post }, (change) => loop.countStream(change));

function serve(slot: number): void {
  status.take(worker);
  const generation = requests.generation(slot);
  const claimedMs = reader.isMeasured(slot) ? nowMs() : 0;
  const request = reader.read(slot, generation);
  reader.prepareStatus(slot, status, worker);
  // Main gave up on it while it was being read: what was read may be half another request. The generation alone would not tell: it may have
  // changed before the first look at it. The owner does: nobody else writes this worker's id, and it claims nothing meanwhile.
  if (requests.ownerOf(slot) !== worker) return;
  reader.done(slot, generation);
  parking.note(worker, 1 + slot);
  status.begin(worker);
  const response = dispatch(request);
  status.end(worker);
  parking.note(worker, 0);
  if (response instanceof Promise) {
    loop.deferred();
    response.then((late) => {
      loop.settled();
      answer({ slot, generation, claimedMs, doneMs: claimedMs > 0 ? nowMs() : 0 }, request, late);
    });
  } else {
    answer({ slot, generation, claimedMs, doneMs: claimedMs > 0 ? nowMs() : 0 }, request, response);
  }
}

/** Sends a response, or a 500 if it cannot be sent: memory for its copy may be missing. */
function answer(tag: AnswerTag, request: ServerRequest, response: HandlerResponse): void {
  request.answered();
  try {
    if (isStreamBody(response.body)) sendStream(tag, request, response, response.body);
    else send(tag, response);
  } catch (error) {
    discard(response, context.cache);
    send(tag, dispatch.unsendable(request.path, error));
  }
}

/** The answer is visible before the doorbell is looked at: main looks at the answers again after arming it. */
function wakeMain(): void {
  if (doorbell.press()) post({ type: "loopool:wake-up" });
}

/** The head first, then the chunks as they come: the request is over for its slot, and not pending any more. */
function sendStream(tag: AnswerTag, request: ServerRequest, response: HandlerResponse, body: StreamBody): void {
  const stream = streams.number();
  const isWritten = streams.isExpected && answers.write(tag, response, stream);
  if (isWritten) {
    wakeMain();
  } else {
    const { status, headers } = response;
    const head = { stream, bytes: body.bytes ?? -1 };
    post({ type: "loopool:answer", tag, status, fields: headers.fields, body: head, pin: -1 });
  }
  const isWanted = request.method !== "HEAD" && response.status !== 204 && response.status !== 304;
  if (!isWanted) endStream(body);
  streams.start(stream, isWanted ? body : NO_CHUNKS, request, !isWritten);
}

/** Of a response of which only the head is wanted. */
const NO_CHUNKS: StreamBody = { chunks: { next: async () => ({ done: true, value: undefined }) } };

function send(tag: AnswerTag, response: HandlerResponse): void {
  const { body } = response;
  if (answers.write(tag, response)) {
    wakeMain();
  } else if (!isStreamBody(body)) {
    const { status, headers, pin = -1 } = response;
    const message = { type: "loopool:answer", tag, status, fields: headers.fields, pin } as const;
    if (pin === -1 && body instanceof Uint8Array && isOnlyHere(body)) {
      // A message would take the whole buffer along, copied twice: so it takes a copy of this part, without another copy.
      const copy = Uint8Array.from(body);
      post({ ...message, body: copy }, [copy.buffer]);
    } else {
      // An open file moves: main closes it.
      post({ ...message, body }, isFileBody(body) && body.handle !== undefined ? [body.handle] : []);
    }
  }
}

/** Whether bytes are to be copied: those that no other thread can see, and, without a pin, those of the cache, which are this thread's only until it goes on. */
function isOnlyHere({ buffer }: Uint8Array): boolean {
  return !(buffer instanceof SharedArrayBuffer) || buffer === context.cache.memory;
}

// A listener keeps the event loop alive while a promise of `waitAsync`, which does not, is all there is to wait for.
port.on("message", (message: PoolMessage) => {
  if (message.type === "grant") streams.granted(message);
  else if (message.type === "close-stream") streams.close(message);
  else if (message.type === "gone") reader.watched.abandoned(message.slot, message.generation);
  else if (message.type === "upload") uploads.chunk(message.upload, message.chunk);
  else if (message.type === "end-user-code") void dispatch.close().then(() => process.exit(0));
  else uploads.end(message.upload, message.failure);
});
parking.enter(worker);
status.start(worker);
post({ type: "loopool:ready", routes: dispatch.routes });
loop.run();
