import type { IncomingMessage, ServerResponse } from "node:http";
import { BODY_TOO_LONG } from "../refusals.js";
import type { Connection, Reading } from "./connection.js";

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

/**
 * Reads the body of a request, throws it away, and then calls `answer`: what is wrong with a body is the answer to its request. One that
 * turns out to be too long, as only one in chunks can, is refused.
 */
export function whenBodyIsRead(
  request: IncomingMessage,
  maxBytes: number,
  connection: Connection,
  reply: Reading["reply"],
  answer: () => void,
): void {
  const reading: Reading = { request, reply, isOver: false };
  connection.reading = reading;
  let bytes = 0;
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.byteLength;
    if (bytes <= maxBytes || reading.isOver) return;
    reading.isOver = true;
    reply.refuse(BODY_TOO_LONG);
  });
  request.on("end", () => {
    if (reading.isOver) return;
    reading.isOver = true;
    answer();
  });
}
