import type { IncomingMessage, ServerResponse } from "node:http";
import { NO_BODY } from "../../shared/handlers/handler.js";
import type { ServerRequest } from "../../shared/handlers/request.js";
import { Counter } from "../../shared/stats/stats.js";
import { BODY_TOO_LONG, type Refusal, TOO_LATE } from "../refusals.js";
import type { AdapterState } from "../state.js";
import { StreamedUpload, WholeUpload } from "../upload.js";
import type { Connection, Reading } from "./connection.js";
import type { NodeReply } from "./reply.js";

/** For a whole body to arrive, and for the next bytes of one that is read as a stream. */
const BODY_TIMEOUT_MS = 30_000;

/**
 * Answers 100 to who waits for it before the body is sent (RFC 9110 §10.1.1), if it still does when it is its turn: what Node is told of a
 * response that waits behind another one would stand between its head and its body.
 */
export function inviteBody(request: IncomingMessage, response: ServerResponse): void {
  if (response.socket !== null) {
    response.writeContinue();
    return;
  }
  response.once("socket", () => {
    if (!request.complete && !response.headersSent) response.writeContinue();
  });
}

/** A request whose body arrives, and where its answer goes. */
export interface Arriving {
  readonly message: IncomingMessage;
  readonly connection: Connection;
  readonly reply: NodeReply;
}

/** Reads a body, throws it away, and then refuses its request. One that turns out to be too long is refused for that. */
export function refuseAfterBody(arriving: Arriving, maxBytes: number, refusal: Refusal): void {
  readWhole(arriving, maxBytes, { onChunk() {}, onEnd: () => arriving.reply.refuse(refusal) });
}

/**
 * Hands a request to the core when its body is whole. What is wrong with a body is the answer to its request. `bytes`: its length; null
 * where it is chunked, and may turn out to be too long.
 */
export function submitWithBody(
  { core, stats, limits }: AdapterState,
  request: ServerRequest,
  bytes: number | null,
  arriving: Arriving,
): void {
  const { reply } = arriving;
  const onWhole = (body: Uint8Array): void => {
    request.body = body;
    core.submit(request, reply);
  };
  const upload = new WholeUpload(bytes, onWhole, core.collectBody(request), true);
  reply.upload = upload;
  readWhole(arriving, limits.maxBodyBytes, {
    onChunk(chunk) {
      stats.add(Counter.requestBodyBytes, chunk.byteLength);
      upload.push(chunk, false);
    },
    onEnd: () => upload.push(NO_BODY, true),
  });
}

function readWhole(
  { message, connection, reply }: Arriving,
  maxBytes: number,
  { onChunk, onEnd }: { onChunk(chunk: Buffer): void; onEnd(): void },
): void {
  const refuse = (refusal: Refusal): void => {
    if (reading.isOver) return;
    over();
    reply.refuse(refusal);
  };
  const reading = { message, isOver: false, fail: refuse };
  const timer = setTimeout(() => refuse(TOO_LATE), BODY_TIMEOUT_MS).unref();
  const over = (): void => {
    reading.isOver = true;
    clearTimeout(timer);
  };
  connection.reading = reading;
  let bytes = 0;
  message.on("data", (chunk: Buffer) => {
    bytes += chunk.byteLength;
    if (reading.isOver) return;
    if (bytes > maxBytes) refuse(BODY_TOO_LONG);
    else onChunk(chunk);
  });
  message.on("end", () => {
    if (reading.isOver) return;
    over();
    onEnd();
  });
  message.once("close", () => clearTimeout(timer));
}

/** Hands a request to the core at once, with its body as a stream. */
export function submitWithStream(
  { core, stats }: AdapterState,
  request: ServerRequest,
  { message, connection, reply }: Arriving,
): void {
  const upload = new StreamedUpload({ pause: () => message.pause(), resume: () => message.resume() });
  const reading: Reading = {
    message,
    isOver: false,
    fail({ response, counter }) {
      reading.isOver = true;
      if (counter !== null) stats.add(counter, 1);
      upload.fail(new Error(`the request's body is malformed: ${String(response.body).trim()}`));
      reply.breakOff();
    },
  };
  connection.reading = reading;
  reply.upload = upload;
  request.stream = upload;
  const timer = setTimeout(() => {
    if (message.isPaused()) timer.refresh();
    else message.destroy();
  }, BODY_TIMEOUT_MS).unref();
  message.on("data", (chunk: Buffer) => {
    timer.refresh();
    stats.add(Counter.requestBodyBytes, chunk.byteLength);
    upload.push(chunk, false);
  });
  message.on("end", () => {
    reading.isOver = true;
    clearTimeout(timer);
    upload.push(NO_BODY, true);
  });
  message.once("close", () => clearTimeout(timer));
  core.submit(request, reply);
}
