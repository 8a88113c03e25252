import type { BodyCollector } from "../core.js";
import { NO_BODY } from "../shared/handlers/handler.js";

/** The body of one request while it arrives. */
export interface Upload {
  /** All of it is here. */
  readonly isComplete: boolean;
  /** Bytes that have arrived; `chunk` is only valid now. `isLast`: it is complete with them. */
  push(chunk: Uint8Array, isLast: boolean): void;
  /** It will not be complete: the client has gone, or what arrives is no body. */
  fail(reason: Error): void;
  /** Nobody reads the rest. */
  discard(): void;
}

/**
 * Collects a body; `onWhole` is called with it once, unless the client goes before. It lies in an ArrayBuffer of its own, or with a collector in that,
 * and `onWhole` is called with NO_BODY; one that comes in a single chunk it is called with as it came.
 */
export class WholeUpload implements Upload {
  isComplete = false;
  /** Bytes so far. */
  bytes = 0;
  /** Where bodies of several chunks go; null: into an ArrayBuffer. */
  #collector: BodyCollector | null;
  /** Chunks may be kept as they are, those that are last until `push` returns. */
  readonly #keepsChunks: "never" | "last" | "always";
  readonly #onWhole: (body: Uint8Array) => void;
  /** What Content-Length says; null: it is chunked. */
  readonly #expectedBytes: number | null;
  /** With a length one array for all, from the first chunk on that is not all. */
  #chunks: Uint8Array[] = [];

  /** `isStable`: chunks stay as they are after `push`. */
  constructor(
    expectedBytes: number | null,
    onWhole: (body: Uint8Array) => void,
    collector: BodyCollector | null = null,
    isStable = false,
  ) {
    this.#expectedBytes = expectedBytes;
    this.#collector = collector;
    this.#keepsChunks = collector === null ? "never" : isStable ? "always" : "last";
    this.#onWhole = onWhole;
  }

  push(chunk: Uint8Array, isLast: boolean): void {
    this.#add(chunk, isLast);
    this.bytes += chunk.byteLength;
    if (!isLast) return;
    this.isComplete = true;
    const chunks = this.#chunks;
    this.#chunks = [];
    // None: there are no bytes, or the collector has them.
    if (chunks.length === 0) this.#onWhole(NO_BODY);
    else this.#onWhole(chunks.length === 1 ? chunks[0]! : joined(chunks, this.bytes));
  }

  #add(chunk: Uint8Array, isLast: boolean): void {
    if (chunk.byteLength === 0) return;
    const expectedBytes = this.#expectedBytes;
    if (this.#keepsChunks !== "never" && this.#keep(chunk, isLast)) return;
    if (expectedBytes === null || chunk.byteLength === expectedBytes) {
      this.#chunks.push(Uint8Array.from(chunk));
      return;
    }
    // Memory that is never written is never taken: a length that is only claimed costs address space.
    if (this.#chunks.length === 0) this.#chunks.push(new Uint8Array(expectedBytes));
    this.#chunks[0]!.set(chunk, this.bytes);
  }

  /** Where the core copies bodies. False: its collector has no room for this one, which goes on in an ArrayBuffer. */
  #keep(chunk: Uint8Array, isLast: boolean): boolean {
    if (this.bytes === 0 && (this.#keepsChunks === "always" ? chunk.byteLength === this.#expectedBytes : isLast)) {
      this.#chunks.push(chunk);
      return true;
    }
    const collector = this.#collector;
    if (collector === null) return false;
    if (collector.push(chunk)) return true;
    this.#collector = null;
    if (this.bytes > 0) {
      const before = Buffer.from(new ArrayBuffer(this.#expectedBytes ?? this.bytes));
      collector.moveTo(before);
      this.#chunks.push(before);
    }
    return false;
  }

  fail(): void {
    this.discard();
  }

  discard(): void {
    this.#chunks = [];
    this.#collector?.discard();
  }
}

function joined(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}

/** How the arrival of a body is held up, and goes on. */
export interface Flow {
  pause(): void;
  resume(): void;
}

/** Bytes that may wait for their reader before the client is held up. */
const HIGH_WATER_BYTES = 64 * 1024;

/** Hands a body on as it arrives, and holds the client up while its reader is behind. For one reader. */
export class StreamedUpload implements Upload, AsyncIterableIterator<Uint8Array> {
  isComplete = false;
  readonly #flow: Flow;
  readonly #chunks: Uint8Array[] = [];
  #waitingBytes = 0;
  #isPaused = false;
  #isRead = false;
  #isDiscarded = false;
  #failure: Error | null = null;
  #wake = (): void => {};

  constructor(flow: Flow) {
    this.#flow = flow;
  }

  /** Of a request without a body. */
  static empty(): StreamedUpload {
    const upload = new StreamedUpload({ pause() {}, resume() {} });
    upload.isComplete = true;
    return upload;
  }

  push(chunk: Uint8Array, isLast: boolean): void {
    this.isComplete = isLast;
    if (chunk.byteLength > 0 && !this.#isDiscarded) {
      this.#chunks.push(Uint8Array.from(chunk));
      this.#waitingBytes += chunk.byteLength;
    }
    if (!isLast && !this.#isPaused && this.#waitingBytes >= HIGH_WATER_BYTES) {
      this.#isPaused = true;
      this.#flow.pause();
    }
    this.#wake();
  }

  fail(reason: Error): void {
    if (!this.isComplete) this.#failure ??= reason;
    this.#wake();
  }

  discard(): void {
    this.#isDiscarded = true;
    this.#chunks.length = 0;
    this.#waitingBytes = 0;
    this.#goOn();
    this.#wake();
  }

  [Symbol.asyncIterator](): this {
    if (this.#isRead) throw new TypeError("the body of a request can be read once");
    this.#isRead = true;
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#waitingBytes -= chunk.byteLength;
        if (this.#waitingBytes < HIGH_WATER_BYTES) this.#goOn();
        return { done: false, value: chunk };
      }
      if (this.#failure !== null) throw this.#failure;
      if (this.isComplete || this.#isDiscarded) return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.discard();
    return { done: true, value: undefined };
  }

  #goOn(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    // Nothing is left to hold up where it is complete or has failed.
    if (!this.isComplete && this.#failure === null) this.#flow.resume();
  }
}
