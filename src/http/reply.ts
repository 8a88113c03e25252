import type { LogEntry } from "../access-log/record.js";
import type { Reply } from "../core.js";
import { closeFileOf, discard, endStream } from "../shared/dispatch/discard.js";
import { messageOf } from "../shared/errors.js";
import {
  type FileBody,
  type HandlerResponse,
  isFileBody,
  isStreamBody,
  type StreamBody,
} from "../shared/handlers/handler.js";
import type { ServerRequest } from "../shared/handlers/request.js";
import { isExhaustion } from "../shared/static/disk-file.js";
import { Counter } from "../shared/stats/stats.js";
import { FileSource } from "./file-source.js";
import { FILE_CHANGED, type Refusal, TOO_MANY_FILES } from "./refusals.js";
import type { StreamClient, StreamSink } from "./send-stream.js";
import type { AdapterState } from "./state.js";
import type { Upload } from "./upload.js";

const nothing = (): void => {};

/** What the reader of a request's body gets when the rest of it will not come. */
const CLIENT_GONE = "the client has gone before the end of the request's body";

/**
 * The answer to one request, as far as it is the same behind every adapter: what is counted and logged of it, and what is given back when it
 * ends. A request ends once, by `finish` or by `abort`.
 */
export abstract class AdapterReply<State extends AdapterState> implements Reply, StreamClient {
  aborted = false;
  ticket = -1;
  /** Called when the client goes while a body is being sent. */
  onAbort = nothing;
  /** Of the body, as far as its socket is known to have taken it. */
  takenBytes = 0;
  /** What its handler is asked; null for what no handler sees. */
  request: ServerRequest | null = null;
  /** The request's body on its way to a handler; null without one. */
  upload: Upload | null = null;
  protected readonly adapter: State;
  /** A HEAD is answered. */
  protected readonly headOnly: boolean;
  /** What the log is to say of this request; null without a log. */
  protected readonly entry: LogEntry | null;
  protected answered = false;
  /** Counted among the requests in flight. */
  protected isInFlight = false;
  #status = 0;
  #holdsFile = false;
  #isStream = false;
  /** Of the response that is being sent; −1: none. */
  #pin = -1;

  constructor(adapter: State, headOnly: boolean, entry: LogEntry | null) {
    this.adapter = adapter;
    this.headOnly = headOnly;
    this.entry = entry;
  }

  fileFailed(what: string, error: unknown): void {
    this.adapter.failures.add(`sending ${what} failed: ${messageOf(error)}`);
  }

  handedOver(bytes: number): void {
    this.adapter.stats.add(Counter.bodyBytes, bytes);
  }

  streamFailed(error: unknown): void {
    this.adapter.stats.add(Counter.streamsFailed, 1);
    this.adapter.failures.add(`${this.request?.path} failed in the middle of its answer`, error);
  }

  /** The connection is to be closed after the answer. */
  abstract close(): void;

  /** The adapter answers itself. */
  refuse({ response, counter, closes }: Refusal): void {
    if (counter !== null) this.adapter.stats.add(counter, 1);
    if (closes) this.close();
    this.send(response);
  }

  send(response: HandlerResponse): void {
    if (this.answered) throw new Error("a request was answered twice");
    this.answered = true;
    if (this.aborted) {
      discard(response, this.adapter.cache);
      return;
    }
    this.#pin = response.pin ?? -1;
    const { status, body } = response;
    if (isStreamBody(body)) {
      this.#sendStream(response, body);
      return;
    }
    this.leaveUpload();
    if (!isFileBody(body)) {
      this.write(response);
    } else if (status === 204 || status === 304 || (this.headOnly && body.handle !== undefined)) {
      closeFileOf(body);
      this.write(response);
    } else if (this.#takesFile()) {
      this.watchClient();
      this.#sendFile(response, body);
    } else {
      closeFileOf(body);
    }
  }

  /** Hands the response to the client, now or bit by bit. A file or a stream as its body is not sent: only its length is said. */
  protected abstract write(response: HandlerResponse): void;

  /** Sends head and body, the body from a file that is open, which it closes. */
  protected abstract writeFile(response: HandlerResponse, file: FileSource): void;

  /** Loads, with the first stream, what streams need beside `send-stream.ts`. */
  protected abstract loadStreams(): Promise<unknown>;

  /** Where the chunks of a response's body go. `bytes`: its length; null where it is not known. */
  protected abstract streamSink(response: HandlerResponse, bytes: number | null): StreamSink;

  /** A response is about to be sent: what has not arrived of the request's body is not waited for. */
  protected leaveUpload(): void {
    this.dropUpload();
  }

  /** What is still to arrive of the request's body goes by. */
  dropUpload(): void {
    if (this.upload !== null && !this.upload.isComplete) this.upload.discard();
  }

  /** From now on it is told when the client goes. */
  protected abstract watchClient(): void;

  /** Nothing of the head goes out before the file is open, was looked at, and its first bytes are read: until then it can still be a 5xx. */
  async #sendFile(response: HandlerResponse, body: FileBody): Promise<void> {
    let file: FileSource;
    try {
      file = await FileSource.open(body, !this.headOnly);
    } catch (error) {
      this.fileFailed(body.file, error);
      const instead = this.#insteadOf(body, error);
      if (!this.aborted) this.write(instead);
      return;
    }
    if (this.aborted || this.headOnly || file.bytes === 0) file.close();
    if (this.aborted) return;
    if (this.headOnly) this.write(response);
    else if (file.bytes === 0) this.write({ ...response, body: "" });
    else this.writeFile(response, file);
  }

  #sendStream(response: HandlerResponse, body: StreamBody): void {
    const { status } = response;
    const hasBody = !this.headOnly && status !== 204 && status !== 304 && body.bytes !== 0;
    if (!hasBody) {
      endStream(body);
      this.leaveUpload();
      this.write(body.bytes === 0 ? { ...response, body: "" } : response);
      return;
    }
    this.watchClient();
    this.#isStream = true;
    this.adapter.streams++;
    this.adapter.stats.set(Counter.streams, this.adapter.streams);
    const { sendStream } = this.adapter;
    if (sendStream === null) this.#loadStreams(response, body);
    else sendStream(body, this, this.streamSink(response, body.bytes ?? null));
  }

  async #loadStreams(response: HandlerResponse, body: StreamBody): Promise<void> {
    const [{ sendStream }] = await Promise.all([import("./send-stream.js"), this.loadStreams()]);
    this.adapter.sendStream = sendStream;
    if (this.aborted) endStream(body);
    else sendStream(body, this, this.streamSink(response, body.bytes ?? null));
  }

  /** The answer where a file cannot be sent. What a handler names, it answers for; what the server looked at itself has changed since. */
  #insteadOf({ handle }: FileBody, error: unknown): HandlerResponse {
    const { stats, fileFailed } = this.adapter;
    if (isExhaustion(error)) {
      stats.add(Counter.limitFiles, 1);
      return TOO_MANY_FILES.response;
    }
    if (handle !== undefined) return FILE_CHANGED.response;
    stats.add(Counter.handlerErrors, 1);
    return fileFailed;
  }

  /** What will be counted when the response has been sent. */
  protected begin(status: number): void {
    this.#status = status;
    if (this.entry !== null) this.entry.status = status;
  }

  /** Takes a descriptor for a file to be streamed. False: there is none, and the client has been told so. */
  #takesFile(): boolean {
    if (this.adapter.capacity.openFile()) {
      this.#holdsFile = true;
      return true;
    }
    this.adapter.stats.add(Counter.limitFiles, 1);
    this.write(TOO_MANY_FILES.response);
    return false;
  }

  protected enterFlight(): void {
    this.isInFlight = true;
    this.adapter.inFlight++;
    this.adapter.stats.set(Counter.inFlight, this.adapter.inFlight);
  }

  /** The client has gone, or was cut off. */
  protected giveUp(): void {
    this.aborted = true;
    this.adapter.stats.add(Counter.aborted, 1);
    if (this.entry !== null) this.entry.aborted = true;
    if (this.upload !== null && !this.upload.isComplete) this.upload.fail(new Error(CLIENT_GONE));
    this.request?.abort();
    // Answered already, it is only being sent: the core has nothing to do with it any more.
    if (this.answered) this.onAbort();
    else this.adapter.core.abandon(this);
    this.finish();
  }

  #unpin(): void {
    if (this.#pin === -1) return;
    this.adapter.cache.release(this.#pin);
    this.#pin = -1;
  }

  protected finish(): void {
    this.#unpin();
    const { adapter, entry } = this;
    // Not before: a request is answered or aborted, never both.
    if (!this.aborted) adapter.stats.addResponse(this.#status);
    if (this.#holdsFile) adapter.capacity.closeFile();
    if (this.#isStream) {
      adapter.streams--;
      adapter.stats.set(Counter.streams, adapter.streams);
    }
    if (entry !== null) {
      entry.bodyBytes = this.takenBytes;
      adapter.log!.add(entry);
    }
    if (!this.isInFlight) return;
    adapter.inFlight--;
    adapter.stats.set(Counter.inFlight, adapter.inFlight);
    if (adapter.inFlight === 0) adapter.onIdle();
  }
}
