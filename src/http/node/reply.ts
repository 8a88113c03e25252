import { type ServerResponse, STATUS_CODES } from "node:http";
import type { LogEntry } from "../../access-log/record.js";
import { COPIED_BODY_BYTES, type HandlerResponse } from "../../shared/handlers/handler.js";
import { Counter } from "../../shared/stats/stats.js";
import type { FileSource } from "../file-source.js";
import { AdapterReply } from "../reply.js";
import type { StreamSink } from "../send-stream.js";
import { type AdapterState, bodyBytes } from "../state.js";
import type { Connection } from "./connection.js";
import { type Client, filePieces, memoryPieces, sendPieces } from "./stream.js";
import type { NodeStreamSink } from "./stream-sink.js";

/** Loaded with the first stream. */
let Sink: typeof NodeStreamSink | null = null;

/** The answer to one request through Node's ServerResponse, which keeps answers in the order of their requests. */
export class NodeReply extends AdapterReply<AdapterState> implements Client {
  readonly #response: ServerResponse;
  readonly #connection: Connection;
  #closes = false;
  /** Node has all of the answer. */
  #isHandedOver = false;
  #sink: NodeStreamSink | null = null;
  /** Whether Node cuts off a client that takes nothing for too long; null: it was never told to. */
  #isWatched: boolean | null = null;

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

  /** What arrives as the request's body is none: what follows it cannot be found. */
  breakOff(): void {
    this.close();
    if (this.answered) this.#response.destroy();
  }

  protected override leaveUpload(): void {
    if (this.upload !== null && !this.upload.isComplete) this.close();
    super.leaveUpload();
  }

  protected write(response: HandlerResponse): void {
    const { status, body } = response;
    // Null: a stream, of which only the head is sent.
    const bytes = this.#writeHead(response) ?? 0;
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
      if (this.#response.writableLength > 0) this.watchReader(true);
    } else {
      this.watchReader(true);
      sendPieces(this.#response, this, memoryPieces(body), "a body");
    }
  }

  protected writeFile(response: HandlerResponse, file: FileSource): void {
    this.#writeHead(response);
    this.adapter.stats.add(Counter.bodyBytes, file.bytes);
    this.watchReader(true);
    sendPieces(this.#response, this, filePieces(file), file.file);
  }

  protected async loadStreams(): Promise<void> {
    Sink = (await import("./stream-sink.js")).NodeStreamSink;
  }

  protected streamSink(response: HandlerResponse): StreamSink {
    this.#sink = new Sink!(this.#response, this, () => this.#writeHead(response));
    return this.#sink;
  }

  /** Status and fields. Returns the length of the body; null where it is not known before its end. */
  #writeHead({ status, headers, body }: HandlerResponse): number | null {
    const response = this.#response;
    this.begin(status);
    if (this.adapter.draining) this.close();
    if (this.#closes) response.shouldKeepAlive = false;
    const bytes = bodyBytes(body);
    const hasLength = status !== 204 && status !== 304 && bytes !== null;
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
  watchReader(isWatched: boolean): void {
    if (isWatched === (this.#isWatched ?? false)) return;
    const timeoutMs = isWatched ? this.adapter.limits.slowReaderTimeoutMs : 0;
    if (this.#isWatched === null) this.#response.setTimeout(timeoutMs, () => this.#cutSlowReader());
    else this.#response.setTimeout(timeoutMs);
    this.#isWatched = isWatched;
  }

  #cutSlowReader(): void {
    this.adapter.stats.add(Counter.limitSlowReaders, 1);
    this.#response.destroy();
  }

  /** The connection: it has closed. */
  abort(): void {
    if (this.#isHandedOver) this.finish();
    else this.giveUp();
    this.#sink?.release();
  }

  protected override finish(): void {
    // Before the request is no longer in flight: its connection may have a last word to say.
    this.#connection.leave(this);
    super.finish();
  }
}
