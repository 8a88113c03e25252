import type { HttpResponse } from "uWebSockets.js";
import type { LogEntry } from "../../access-log/record.js";
import { COPIED_BODY_BYTES, type HandlerResponse } from "../../shared/handlers/handler.js";
import { Counter } from "../../shared/stats/stats.js";
import type { FileSource } from "../file-source.js";
import { AdapterReply } from "../reply.js";
import type { StreamSink } from "../send-stream.js";
import { type AdapterState, bodyBytes } from "../state.js";
import type { SlowReaders } from "./slow-readers.js";
import { type Client, sendFile, sendLarge } from "./stream.js";
import type { UwsStreamSink } from "./stream-sink.js";

/** What the replies of this adapter have in common. */
export interface UwsState extends AdapterState {
  readonly slowReaders: SlowReaders;
}

/**
 * Whether a connection is closed after an answer, and who asked for it, as µWS sees it: what `end` closes it announces itself, but not to a
 * client that asked, where RFC 9112 §9.6 wants it said all the same.
 */
export type Closing = "no" | "by us" | "by the client";

/** Loaded with the first stream. */
let Sink: typeof UwsStreamSink | null = null;

/**
 * The answer to one request on a µWS socket. µWS forbids touching a response after an abort and wants writes outside the
 * handler's own turn corked: both are kept here, and nowhere else. What is deferred beyond that turn is in flight.
 *
 * A connection is never closed in the handler's own turn: µWS goes on with what lies in the same packet, as if the connection stayed open.
 * While the answer is pending it closes the connection instead, should there be more.
 */
export class UwsReply extends AdapterReply<UwsState> implements Client {
  readonly #res: HttpResponse;
  #closing: Closing;
  /** µWS' abort handler is called for a connection that we close, too. */
  #isClosed = false;
  #isWatched = false;
  #sink: UwsStreamSink | null = null;

  constructor(res: HttpResponse, headOnly: boolean, closing: Closing, adapter: UwsState, entry: LogEntry | null) {
    super(adapter, headOnly, entry);
    this.#res = res;
    this.#closing = closing;
    if (adapter.draining) this.close();
  }

  close(): void {
    if (this.#closing === "no") this.#closing = "by us";
  }

  /** Its connection is to be closed after the answer, so that the answer must not be given in the µWS handler's own turn. */
  get closes(): boolean {
    return this.#closing !== "no";
  }

  /** The adapter: the µWS handler is about to return. A response that is still to come needs an abort handler, or µWS ends the process. */
  defer(): void {
    if (!this.answered) this.watchClient();
  }

  protected watchClient(): void {
    if (this.isInFlight) return;
    this.#res.onAborted(() => this.#abort());
    this.enterFlight();
  }

  override send(response: HandlerResponse): void {
    if (this.#closing !== "no") {
      // It may be the handler's own turn: an awaited promise that is settled resolves in it. A short body in bytes is the sender's again when
      // this returns.
      const { body } = response;
      const isShort = body instanceof Uint8Array && body.byteLength <= COPIED_BODY_BYTES;
      const kept = isShort ? { ...response, body: Uint8Array.from(body) } : response;
      setImmediate(() => super.send(kept));
      return;
    }
    super.send(response);
  }

  protected write(response: HandlerResponse): void {
    if (this.isInFlight) this.#res.cork(() => this.#write(response));
    else this.#write(response);
    if (this.#isClosed && !this.aborted) this.#res.close();
  }

  /** Status and fields. True: the connection closes after the answer. */
  #writeHead({ status, headers }: HandlerResponse): boolean {
    if (this.adapter.draining) this.close();
    this.begin(status);
    // µWS writes a status as it is. So all fields go along with it, at a price that does not depend on their number.
    this.#res.writeStatus(headers.wire(status));
    return this.#closing !== "no";
  }

  #write(response: HandlerResponse): void {
    const res = this.#res;
    const { status, body } = response;
    const hasBody = !this.headOnly && status !== 204 && status !== 304;
    const closes = this.#writeHead(response);

    if (!hasBody) {
      // Called with a length, endWithoutBody does not complete in this release (uWebSockets#1855): so it is written as a field.
      const bytes = status === 204 || status === 304 ? null : bodyBytes(body);
      if (bytes !== null) res.writeHeader("Content-Length", String(bytes));
      if (closes) this.#endAndClose();
      else res.endWithoutBody();
    } else if (!(body instanceof Uint8Array) || body.byteLength <= COPIED_BODY_BYTES) {
      // Of files and streams only the heads come here.
      const bytes = bodyBytes(body)!;
      this.adapter.stats.add(Counter.bodyBytes, bytes);
      if (this.#closing === "by the client") res.writeHeader("Connection", "close");
      res.end(body as string | Uint8Array, closes);
      this.takenBytes = bytes;
    } else {
      const done = this.#beginStream(closes, body.byteLength);
      sendLarge(res, this, body, done);
      return;
    }
    this.finish();
  }

  protected writeFile(response: HandlerResponse, file: FileSource): void {
    sendFile(this.#res, this, file, () => this.#beginStream(this.#writeHead(response), file.bytes));
  }

  protected async loadStreams(): Promise<void> {
    Sink = (await import("./stream-sink.js")).UwsStreamSink;
  }

  protected streamSink(response: HandlerResponse, bytes: number | null): StreamSink {
    const writeHead = (): void => {
      // As for other bodies that are streamed, the client closes, or µWS some time later: `end` with a word for that breaks the chunks.
      if (this.#writeHead(response)) this.#res.writeHeader("Connection", "close");
    };
    const onLast = (): void => this.dropUpload();
    const onEnd = (): void => this.finish();
    this.#sink = new Sink!(this.#res, this, this.adapter.slowReaders, bytes, { writeHead, onLast, onEnd });
    return this.#sink;
  }

  /**
   * µWS cannot end a response without a body and close: so the empty line after the fields is written with the last of them, and Date, which
   * µWS writes when it ends one, by us (RFC 9110 §6.6.1).
   */
  #endAndClose(): void {
    this.#res.writeHeader("Date", new Date().toUTCString());
    this.#res.writeHeader("Connection", "close\r\n");
    this.#isClosed = true;
  }

  /** A body that may not fit the socket now: it is in flight until its last byte has been taken, which is when to call what is returned. */
  #beginStream(closes: boolean, bytes: number): () => void {
    // The client closes, or µWS when nothing has come for 10 s: no way to end such a body closes the connection.
    if (closes) this.#res.writeHeader("Connection", "close");
    this.watchClient();
    this.adapter.stats.add(Counter.bodyBytes, bytes);
    this.#isWatched = true;
    this.adapter.slowReaders.watch(this);
    return () => {
      if (this.aborted) return;
      this.takenBytes = bytes;
      this.finish();
    };
  }

  /** Its client takes nothing: what follows is what follows when a client goes. */
  cut(): void {
    this.#res.close();
  }

  #abort(): void {
    if (this.#isClosed) return;
    if (this.adapter.slowReaders.isSlow(this)) this.adapter.stats.add(Counter.limitSlowReaders, 1);
    this.giveUp();
    this.#sink?.release();
  }

  protected override finish(): void {
    if (this.#isWatched) this.adapter.slowReaders.forget(this);
    super.finish();
  }
}
