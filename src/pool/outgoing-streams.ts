import { COPIED_BODY_BYTES, type StreamBody } from "../shared/handlers/handler.js";
import type { ServerRequest } from "../shared/handlers/request.js";
import type { AnswerWriter } from "./answer-codec.js";
import { textOfFailure } from "./failure-text.js";
import type { CloseStreamMessage, GrantMessage, WorkerMessage } from "./messages.js";
import { WINDOW } from "./stream-receiver.js";
import { StreamSender, type StreamSink } from "./stream-sender.js";

/** How a worker's streams reach main. */
export interface StreamChannel {
  readonly answers: AnswerWriter;
  /** Wakes main for what was written to the ring. */
  ring(): void;
  post(message: WorkerMessage, moved?: readonly ArrayBuffer[]): void;
}

/** The responses of one worker that are made while they are sent. */
export class OutgoingStreams {
  readonly #channel: StreamChannel;
  /** A stream begins (1) or has ended (−1). */
  readonly #onCount: (change: number) => void;
  readonly #open = new Map<number, OutgoingStream>();
  #lastNumber = 0;
  /** Main loads what it needs for streams with the first head, which goes by message, and tells that it has by granting credit. */
  isExpected = false;

  constructor(channel: StreamChannel, onCount: (change: number) => void) {
    this.#channel = channel;
    this.#onCount = onCount;
  }

  /** A number for the next stream. */
  number(): number {
    this.#lastNumber = (this.#lastNumber + 1) >>> 0;
    return this.#lastNumber;
  }

  /** The head of a response is on its way to main, in the ring or `byMessage`: its chunks follow. */
  start(number: number, body: StreamBody, request: ServerRequest, byMessage: boolean): void {
    const stream = new OutgoingStream(this.#channel, number, body, request, byMessage);
    this.#open.set(number, stream);
    this.#onCount(1);
    stream.sender.run().then(() => {
      this.#open.delete(number);
      this.#onCount(-1);
    });
  }

  granted({ stream, credit, received }: GrantMessage): void {
    this.isExpected = true;
    this.#open.get(stream)?.granted(credit, received);
  }

  /** Main wants no more of a stream. */
  close({ stream, gone }: CloseStreamMessage): void {
    this.#open.get(stream)?.close(gone);
  }
}

class OutgoingStream implements StreamSink {
  readonly sender: StreamSender;
  readonly #channel: StreamChannel;
  readonly #number: number;
  readonly #request: ServerRequest;
  #sent = 0;
  /**
   * Something of this stream is in the message channel, which the ring could overtake: all goes there until main says that it has arrived. The
   * other way round nothing is overtaken: main looks at the ring before it looks at a message.
   */
  #byMessage: boolean;
  /** Chunks that had been sent with the last message. */
  #lastMessage = 0;

  constructor(channel: StreamChannel, number: number, body: StreamBody, request: ServerRequest, byMessage: boolean) {
    this.#channel = channel;
    this.#number = number;
    this.#request = request;
    this.#byMessage = byMessage;
    this.sender = new StreamSender(body.chunks, this, WINDOW);
  }

  chunk(bytes: Uint8Array): void {
    this.#sent++;
    const { answers, ring, post } = this.#channel;
    if (!this.#byMessage && bytes.byteLength <= COPIED_BODY_BYTES && answers.writeChunk(this.#number, bytes)) {
      ring();
      return;
    }
    this.#byMessage = true;
    this.#lastMessage = this.#sent;
    const chunk = Uint8Array.from(bytes);
    post({ type: "loopool:chunk", stream: this.#number, chunk }, [chunk.buffer]);
  }

  end(failure: unknown): void {
    const { answers, ring, post } = this.#channel;
    const text = failure === null ? null : textOfFailure(failure);
    if (!this.#byMessage && answers.writeEnd(this.#number, text)) ring();
    else post({ type: "loopool:end", stream: this.#number, failure: text });
  }

  granted(credit: number, received: number): void {
    if (received >= this.#lastMessage) this.#byMessage = false;
    this.sender.grant(credit);
  }

  close(gone: boolean): void {
    if (gone) this.#request.abort();
    this.sender.close();
  }
}
