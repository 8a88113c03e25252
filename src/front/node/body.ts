import type { IncomingMessage } from "node:http";
import { BODY_TOO_LONG } from "../refusals.js";
import type { Connection } from "./connection.js";
import type { NodeReply } from "./reply.js";

/**
 * Reads the body of a request, throws it away, and then calls `answer`: what is wrong with a body is the answer to its request. One that
 * turns out to be too long, as only one in chunks can, is refused.
 */
export function whenBodyIsRead(
  request: IncomingMessage,
  maxBytes: number,
  connection: Connection,
  reply: NodeReply,
  answer: () => void,
): void {
  let bytes = 0;
  connection.reading = reply;
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.byteLength;
    if (bytes <= maxBytes || connection.reading === null) return;
    connection.reading = null;
    reply.refuse(BODY_TOO_LONG);
  });
  request.on("end", () => {
    if (connection.reading === null) return;
    connection.reading = null;
    answer();
  });
}
