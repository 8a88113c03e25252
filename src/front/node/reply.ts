import { type ServerResponse, STATUS_CODES } from "node:http";
import type { LogEntry } from "../../access-log/record.js";
import type { Reply } from "../../core.js";
import { COPIED_BODY_BYTES, type HandlerResponse } from "../../shared/handlers/handler.js";
import { Field } from "../../shared/stats.js";
import { type Refusal, TOO_MANY_FILES } from "../refusals.js";
import { bodyBytes, type FrontState } from "../state.js";
import type { Connection, Waiting } from "./connections.js";
import { type Client, filePieces, memoryPieces, sendPieces } from "./stream.js";

const nothing = (): void => {};

/** The answer to one request through Node's ServerResponse, which keeps answers in the order of their requests. */
export class NodeReply implements Reply, Waiting, Client {
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
  #closes: boolean;
  #isStreaming = false;
  #holdsFile = false;
  /** Of the response that is being sent; −1: none. */
  #pin = -1;

  /** `closes`: the connection is to be closed after the answer. */
  constructor(
    response: ServerResponse,
    headOnly: boolean,
    closes: boolean,
    front: FrontState,
    entry: LogEntry | null,
    connection: Connection,
  ) {
    this.#response = response;
    this.#headOnly = headOnly;
    this.#closes = closes;
    this.#front = front;
    this.#entry = entry;
    this.#connection = connection;
    front.inFlight++;
    front.stats.set(Field.inFlight, front.inFlight);
    connection.enter(this);
  }

  /** The front answers itself. */
  refuse({ response, counter, closes }: Refusal): void {
    if (counter !== null) this.#front.stats.add(counter, 1);
    this.#closes ||= closes;
    this.send(response);
  }

  send(answer: HandlerResponse): void {
    if (this.#answered) throw new Error("a request was answered twice");
    this.#answered = true;
    this.#pin = answer.pin ?? -1;
    if (this.aborted) {
      this.#unpin();
      return;
    }
    const { body } = answer;
    const isFile = typeof body !== "string" && !(body instanceof Uint8Array) && !this.#headOnly;
    if (isFile && !this.#front.capacity.openFile()) {
      this.#front.stats.add(Field.limitFiles, 1);
      this.#write(TOO_MANY_FILES.response);
      return;
    }
    this.#holdsFile = isFile;
    this.#write(answer);
  }

  #write({ status, headers, body }: HandlerResponse): void {
    const response = this.#response;
    const { stats, draining } = this.#front;
    stats.addResponse(status);
    if (this.#entry !== null) this.#entry.status = status;
    if (draining || this.#closes) {
      this.#connection.takeNoMore();
      response.shouldKeepAlive = false;
    }
    const bytes = bodyBytes(body);
    const hasLength = status !== 204 && status !== 304;
    const fields = hasLength ? [...headers.fields, "Content-Length", String(bytes)] : [...headers.fields];
    response.writeHead(status, STATUS_CODES[status] ?? "", fields);
    // All of it is with the system; of small bodies that have been copied, too, so that a drain does not cut off their end.
    response.on("finish", () => this.#finish());

    if (this.#headOnly || !hasLength) {
      response.end();
      return;
    }
    stats.add(Field.bodyBytes, bytes);
    if (typeof body === "string") {
      this.takenBytes = bytes;
      // As bytes: with a text Node would write the fields in its encoding, too, and not as the Latin-1 that they are.
      response.end(Buffer.from(body));
    } else if (body instanceof Uint8Array && bytes <= COPIED_BODY_BYTES) {
      this.takenBytes = bytes;
      // Node writes later what the socket does not take now, or what waits for the answer before.
      response.end(Buffer.from(body));
    } else {
      this.#isStreaming = true;
      // A file that turns out to be gone is cut off after its head, as everywhere: a client sees that something is missing.
      response.flushHeaders();
      this.#front.slowReaders.watch(this);
      sendPieces(response, this, body instanceof Uint8Array ? memoryPieces(body) : filePieces(body));
    }
  }

  /** Its client takes nothing: what follows is what follows when a client goes. */
  cut(): void {
    this.#response.destroy();
  }

  /** The connection: it has closed. */
  abort(): void {
    this.aborted = true;
    this.#front.stats.add(Field.aborted, 1);
    if (this.#front.slowReaders.isSlow(this)) this.#front.stats.add(Field.limitSlowReaders, 1);
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
    if (this.#isStreaming) {
      front.slowReaders.forget(this);
      if (this.#holdsFile) front.capacity.closeFile();
    }
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
