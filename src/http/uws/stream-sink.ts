import type { HttpResponse } from "uWebSockets.js";
import type { StreamSink } from "../send-stream.js";
import type { SlowReaders, WatchedClient } from "./slow-readers.js";
import type { Client } from "./stream.js";

/** What is written in one call. */
const PIECE_BYTES = 64 * 1024;
/**
 * What is written first after the socket was full: µWS does not say whether it has emptied its own buffer meanwhile, but whether a write
 * went through. It keeps what does not, so that no more than this is added to it.
 */
const PROBE_BYTES = 2048;

/** Sends a stream through µWS: with its length, or chunked. */
export class UwsStreamSink implements StreamSink {
  readonly #res: HttpResponse;
  readonly #client: Client & WatchedClient;
  readonly #slowReaders: SlowReaders;
  readonly #writeHead: () => void;
  readonly #onLast: () => void;
  readonly #onEnd: () => void;
  readonly #bytes: number | null;
  #hasHead = false;
  #pieceBytes = PIECE_BYTES;
  #wake = (): void => {};

  /** `writeHead` writes status and fields, inside of a cork; `onLast` is called before µWS has the end of the body, `onEnd` afterwards. */
  constructor(
    res: HttpResponse,
    client: Client & WatchedClient,
    slowReaders: SlowReaders,
    bytes: number | null,
    { writeHead, onLast, onEnd }: Readonly<Record<"writeHead" | "onLast" | "onEnd", () => void>>,
  ) {
    this.#res = res;
    this.#client = client;
    this.#slowReaders = slowReaders;
    this.#bytes = bytes;
    this.#writeHead = writeHead;
    this.#onLast = onLast;
    this.#onEnd = onEnd;
  }

  /**
   * A head without a length leaves with the first chunk: µWS has no call that sends one alone (uWebSockets#1896), and that of later
   * releases breaks the framing (uWebSockets.js#1303).
   */
  begin(): void {
    this.#res.onWritable(() => {
      // With a listener of ours µWS leaves what it has buffered where it is, until the next write: the end of any cork is one.
      this.#res.cork(() => {});
      this.#wake();
      return true;
    });
    const bytes = this.#bytes;
    if (bytes !== null) this.#corked(() => this.#res.tryEnd("", bytes));
  }

  write(chunk: Uint8Array): Promise<void> | null {
    if (chunk.byteLength > this.#pieceBytes) return this.#writePieces(chunk);
    return this.#bytes === null ? this.#put(chunk) : this.#putKnown(chunk, this.#bytes);
  }

  async #writePieces(chunk: Uint8Array): Promise<void> {
    for (let offset = 0; offset < chunk.byteLength; ) {
      const piece = chunk.subarray(offset, offset + this.#pieceBytes);
      offset += piece.byteLength;
      const room = this.#bytes === null ? this.#put(piece) : this.#putKnown(piece, this.#bytes);
      if (room !== null) await room;
      if (this.#client.aborted) return;
    }
  }

  /** µWS copies what the socket does not take. */
  #put(piece: Uint8Array): Promise<void> | null {
    let isRoom = true;
    this.#corked(() => {
      isRoom = this.#res.write(piece);
    });
    this.#client.takenBytes += piece.byteLength;
    if (isRoom) {
      this.#pieceBytes = PIECE_BYTES;
      return null;
    }
    this.#pieceBytes = PROBE_BYTES;
    return this.#room();
  }

  /** What the socket does not take is offered again. */
  #putKnown(piece: Uint8Array, totalBytes: number): Promise<void> | null {
    if (this.#offer(piece, totalBytes)) return null;
    return this.#offerAgain(piece, totalBytes);
  }

  async #offerAgain(piece: Uint8Array, totalBytes: number): Promise<void> {
    const start = this.#client.takenBytes;
    const end = start + piece.byteLength;
    do {
      this.#client.takenBytes = this.#res.getWriteOffset();
      await this.#room();
      if (this.#client.aborted) return;
    } while (!this.#offer(piece.subarray(this.#res.getWriteOffset() - start), totalBytes));
    this.#client.takenBytes = end;
  }

  /** False: not all of it was taken. */
  #offer(piece: Uint8Array, totalBytes: number): boolean {
    const before = this.#res.getWriteOffset();
    if (before + piece.byteLength === totalBytes) this.#onLast();
    let isTaken = false;
    let isComplete = false;
    this.#corked(() => {
      [isTaken, isComplete] = this.#res.tryEnd(piece, totalBytes);
    });
    if (isComplete) {
      this.#client.takenBytes = totalBytes;
      this.#wake = () => {};
      this.#onEnd();
      return true;
    }
    if (isTaken) this.#client.takenBytes = before + piece.byteLength;
    return isTaken;
  }

  /** Resolves when the socket takes more, or `wake` was called. Meanwhile its client is watched. */
  #room(): Promise<void> {
    this.#slowReaders.watch(this.#client);
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#slowReaders.forget(this.#client);
        this.#wake = () => {};
        resolve();
      };
    });
  }

  /** The client has gone: nobody waits for room any more. */
  release(): void {
    this.#wake();
  }

  end(): void {
    // With a length it has ended with its last byte.
    if (this.#bytes !== null) return;
    this.#onLast();
    this.#corked(() => this.#res.end());
    this.#onEnd();
  }

  /** Not at once: what was written in this turn of µWS still lies in its cork, and would be lost. */
  cut(): void {
    setImmediate(() => {
      if (!this.#client.aborted) this.#res.close();
    });
  }

  #corked(write: () => void): void {
    this.#res.cork(() => {
      if (!this.#hasHead) {
        this.#hasHead = true;
        this.#writeHead();
      }
      write();
    });
  }
}
