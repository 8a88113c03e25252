import type { ServerResponse } from "node:http";
import { NO_BODY } from "../../shared/handlers/handler.js";
import type { StreamSink } from "../send-stream.js";

/** What the sink needs of the reply. */
interface Sender {
  takenBytes: number;
  /** From now on, or no longer, its client is cut off when it takes nothing for too long. */
  watchReader(isWatched: boolean): void;
  /** What is still to arrive of the request's body goes by. */
  dropUpload(): void;
}

/** Sends a stream through Node's ServerResponse: with its length, chunked, or to a client of HTTP/1.0 until the connection closes. */
export class NodeStreamSink implements StreamSink {
  readonly #response: ServerResponse;
  readonly #sender: Sender;
  readonly #writeHead: () => void;
  #release = (): void => {};

  constructor(response: ServerResponse, sender: Sender, writeHead: () => void) {
    this.#response = response;
    this.#sender = sender;
    this.#writeHead = writeHead;
  }

  begin(): void {
    this.#writeHead();
    // What `flushHeaders` is for, but that would write the fields in UTF-8, as any text makes Node do.
    this.#response.write(NO_BODY);
  }

  /** The next chunk is asked for when the system has this one: memory stays at one. */
  write(chunk: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      let isDone = false;
      this.#release = resolve;
      this.#response.write(chunk, () => {
        isDone = true;
        this.#sender.takenBytes += chunk.byteLength;
        this.#sender.watchReader(false);
        resolve();
      });
      // A quiet stream is no slow reader: only who does not take what there is.
      if (!isDone && this.#response.writableLength > 0) this.#sender.watchReader(true);
    });
  }

  /** The client has gone: Node may not call back for what waited behind another answer. */
  release(): void {
    this.#release();
  }

  /** The head has not said that the connection would be closed, so it stays open for what follows the request's body. */
  end(): void {
    this.#sender.dropUpload();
    this.#response.end();
  }

  cut(): void {
    this.#response.destroy();
  }
}
