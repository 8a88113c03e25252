import { type ServerResponse, STATUS_CODES } from "node:http";
import type { LogEntry } from "../../access-log/record.js";
import type { Reply } from "../../core.js";
import { COPIED_BODY_BYTES, type FileBody, type HandlerResponse } from "../../shared/handlers/handler.js";
import { Field } from "../../shared/stats.js";
import { type Refusal, TOO_MANY_FILES } from "../refusals.js";
import { bodyBytes, type FrontState } from "../state.js";
import type { Connection } from "./connection.js";
import { type Client, filePieces, memoryPieces, sendPieces } from "./stream.js";

const nothing = (): void => {};

/** The answer to one request through Node's ServerResponse, which keeps answers in the order of their requests. */
export class NodeReply implements Reply, Client {
  aborted = false;
  ticket = -1;
  onAbort = nothing;
  takenBytes = 0;
  readonly #response: ServerResponse;
  readonly #headOnly: boolean;
  readonly #front: FrontState;
  readonly #connection: Connection;
  /** What the log is to say of this request; null without a log. */
  readonly #entry: LogEntry | null;
  #answered = false;
  #status = 0;
  #closes = false;
  #holdsFile = false;
  /** Node has all of the answer. */
  #isHandedOver = false;
  /** Of the response that is being sent; −1: none. */
  #pin = -1;

  constructor(
    response: ServerResponse,
    headOnly: boolean,
    front: FrontState,
    entry: LogEntry | null,
    connection: Connection,
  ) {
    this.#response = response;
    this.#headOnly = headOnly;
    this.#front = front;
    this.#entry = entry;
    this.#connection = connection;
    front.inFlight++;
    front.stats.set(Field.inFlight, front.inFlight);
    connection.enter(this);
  }

  /** The connection is to be closed after the answer, and what follows the request is not to be served. */
  close(): void {
    this.#closes = true;
    this.#connection.takeNoMore();
  }

  /** The front answers itself. */
  refuse({ response, counter, closes }: Refusal): void {
    if (counter !== null) this.#front.stats.add(counter, 1);
    if (closes) this.close();
    this.send(response);
  }

  send(response: HandlerResponse): void {
    if (this.#answered) throw new Error("a request was answered twice");
    this.#answered = true;
    this.#pin = response.pin ?? -1;
    if (this.aborted) {
      this.#unpin();
      return;
    }
    this.#write(response);
  }

  #write({ status, headers, body }: HandlerResponse): void {
    const response = this.#response;
    const { stats, draining, capacity } = this.#front;
    const hasLength = status !== 204 && status !== 304;
    const hasBody = hasLength && !this.#headOnly;
    if (hasBody && isFile(body)) {
      if (!capacity.openFile()) {
        stats.add(Field.limitFiles, 1);
        this.#write(TOO_MANY_FILES.response);
        return;
      }
      this.#holdsFile = true;
    }
    this.#status = status;
    if (this.#entry !== null) this.#entry.status = status;
    if (draining) this.close();
    if (this.#closes) response.shouldKeepAlive = false;
    const bytes = bodyBytes(body);
    const fields = hasLength ? [...headers.fields, "Content-Length", String(bytes)] : [...headers.fields];
    response.writeHead(status, STATUS_CODES[status] ?? "", fields);
    // All of it is with the system; of small bodies that have been copied, too, so that a drain does not cut off their end.
    response.on("finish", () => this.#finish());

    if (!hasBody) {
      this.#isHandedOver = true;
      response.end();
      return;
    }
    stats.add(Field.bodyBytes, bytes);
    if (typeof body === "string" || (body instanceof Uint8Array && bytes <= COPIED_BODY_BYTES)) {
      this.#isHandedOver = true;
      this.takenBytes = bytes;
      // Copied, since Node writes later what the socket does not take now, or what waits for the answer before. A text would make Node write
      // the fields in UTF-8, too.
      response.end(Buffer.from(body as string | Uint8Array));
      if (response.writableLength > 0) this.#watch();
    } else {
      this.#watch();
      // A file that turns out to be gone is cut off after its head, as everywhere: a client sees that something is missing.
      response.flushHeaders();
      sendPieces(response, this, body instanceof Uint8Array ? memoryPieces(body) : filePieces(body));
    }
  }

  /** A client that takes nothing for too long is cut off. Node counts from the last progress of its socket. */
  #watch(): void {
    this.#response.setTimeout(this.#front.limits.slowReaderTimeoutMs, () => {
      this.#front.stats.add(Field.limitSlowReaders, 1);
      this.#response.destroy();
    });
  }

  /** The connection: it has closed. */
  abort(): void {
    if (this.#isHandedOver) {
      this.#finish();
      return;
    }
    this.aborted = true;
    this.#front.stats.add(Field.aborted, 1);
    if (this.#entry !== null) this.#entry.aborted = true;
    // Answered already, it is only being sent: the core has nothing to do with it any more.
    if (this.#answered) this.onAbort();
    else this.#front.core.abandon(this);
    this.#finish();
  }

  #unpin(): void {
    if (this.#pin === -1) return;
    this.#front.cache.release(this.#pin);
    this.#pin = -1;
  }

  #finish(): void {
    this.#unpin();
    const front = this.#front;
    // Not before: a request is answered or aborted, never both.
    if (!this.aborted) front.stats.addResponse(this.#status);
    if (this.#holdsFile) front.capacity.closeFile();
    if (this.#entry !== null) {
      this.#entry.bodyBytes = this.takenBytes;
      front.log!.add(this.#entry);
    }
    this.#connection.leave(this);
    front.inFlight--;
    front.stats.set(Field.inFlight, front.inFlight);
    if (front.inFlight === 0) front.onIdle();
  }
}

function isFile(body: HandlerResponse["body"]): body is FileBody {
  return typeof body !== "string" && !(body instanceof Uint8Array);
}
