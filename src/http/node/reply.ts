import { type ServerResponse, STATUS_CODES } from "node:http";
import type { LogEntry } from "../../access-log/record.js";
import { COPIED_BODY_BYTES, type HandlerResponse } from "../../shared/handlers/handler.js";
import { Counter } from "../../shared/stats/stats.js";
import type { FileSource } from "../file-source.js";
import { AdapterReply } from "../reply.js";
import { type AdapterState, bodyBytes } from "../state.js";
import type { Connection } from "./connection.js";
import { type Client, filePieces, memoryPieces, sendPieces } from "./stream.js";

/** The answer to one request through Node's ServerResponse, which keeps answers in the order of their requests. */
export class NodeReply extends AdapterReply<AdapterState> implements Client {
  readonly #response: ServerResponse;
  readonly #connection: Connection;
  #closes = false;
  /** Node has all of the answer. */
  #isHandedOver = false;

  constructor(
    response: ServerResponse,
    headOnly: boolean,
    adapter: AdapterState,
    entry: LogEntry | null,
    connection: Connection,
  ) {
    super(adapter, headOnly, entry);
    this.#response = response;
    this.#connection = connection;
    this.enterFlight();
    connection.enter(this);
  }

  /** What follows the request is not to be served either. */
  close(): void {
    this.#closes = true;
    this.#connection.takeNoMore();
  }

  protected write(response: HandlerResponse): void {
    const { status, body } = response;
    const bytes = this.#writeHead(response);
    if (this.headOnly || status === 204 || status === 304) {
      this.#isHandedOver = true;
      this.#response.end();
      return;
    }
    this.adapter.stats.add(Counter.bodyBytes, bytes);
    if (!(body instanceof Uint8Array) || bytes <= COPIED_BODY_BYTES) {
      this.#isHandedOver = true;
      this.takenBytes = bytes;
      // Copied, since Node writes later what the socket does not take now, or what waits for the answer before. A text would make Node write
      // the fields in UTF-8, too.
      this.#response.end(Buffer.from(body as string | Uint8Array));
      if (this.#response.writableLength > 0) this.#watch();
    } else {
      this.#watch();
      sendPieces(this.#response, this, memoryPieces(body), "a body");
    }
  }

  protected writeFile(response: HandlerResponse, file: FileSource): void {
    this.adapter.stats.add(Counter.bodyBytes, this.#writeHead(response));
    this.#watch();
    sendPieces(this.#response, this, filePieces(file), file.file);
  }

  /** Status and fields. Returns the length of the body. */
  #writeHead({ status, headers, body }: HandlerResponse): number {
    const response = this.#response;
    this.begin(status);
    if (this.adapter.draining) this.close();
    if (this.#closes) response.shouldKeepAlive = false;
    const bytes = bodyBytes(body);
    const hasLength = status !== 204 && status !== 304;
    const fields = hasLength ? [...headers.fields, "Content-Length", String(bytes)] : [...headers.fields];
    response.writeHead(status, STATUS_CODES[status] ?? "", fields);
    // Node may close by itself: after HTTP/1.0, and after a body that came before its client was told to send it.
    if (!response.shouldKeepAlive) this.#connection.takeNoMore();
    // All of it is with the system; of small bodies that have been copied, too, so that a drain does not cut off their end.
    response.on("finish", () => this.finish());
    return bytes;
  }

  /** In flight from the start: its connection tells. */
  protected watchClient(): void {}

  /** A client that takes nothing for too long is cut off. Node counts from the last progress of its socket. */
  #watch(): void {
    this.#response.setTimeout(this.adapter.limits.slowReaderTimeoutMs, () => {
      this.adapter.stats.add(Counter.limitSlowReaders, 1);
      this.#response.destroy();
    });
  }

  /** The connection: it has closed. */
  abort(): void {
    if (this.#isHandedOver) this.finish();
    else this.giveUp();
  }

  protected override finish(): void {
    // Before the request is no longer in flight: its connection may have a last word to say.
    this.#connection.leave(this);
    super.finish();
  }
}
