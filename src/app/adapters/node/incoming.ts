import { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { HandlerRequest } from "../../../shared/handlers/handler.js";
import type { StandInSocket } from "./stand-in-socket.js";

/** What Node's parser calls with the lines of a header; it makes `headers` of them when that is looked at. */
interface TakesLines {
  _addHeaderLines(lines: readonly string[], count: number): void;
}

/**
 * A request for listeners of Node's servers. What differs from Node's own class is on the object itself: Express gives it another
 * prototype.
 */
export function incomingOf(request: HandlerRequest, socket: StandInSocket): IncomingMessage {
  const message = new IncomingMessage(socket as unknown as Socket);
  const { method, path, query, fields, body } = request;
  message.method = method;
  message.url = query === "" ? path : `${path}?${query}`;
  message.httpVersion = "1.1";
  message.httpVersionMajor = 1;
  message.httpVersionMinor = 1;
  (message as unknown as TakesLines)._addHeaderLines(fields, fields.length);
  message.complete = true;
  let isRead = false;
  message._read = () => {
    if (isRead) return;
    isRead = true;
    if (body.byteLength > 0) message.push(Buffer.from(body.buffer, body.byteOffset, body.byteLength));
    message.push(null);
  };
  message._destroy = (error, callback) => {
    if (!message.readableEnded) {
      message.aborted = true;
      message.emit("aborted");
    }
    // As Node does: nobody has to listen.
    callback(message.listenerCount("error") > 0 ? error : null);
  };
  return message;
}
