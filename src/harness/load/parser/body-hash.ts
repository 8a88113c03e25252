import { createHash, type Hash } from "node:crypto";

/** Is told of the bytes of a body as they arrive. */
export interface BodySink {
  update(bytes: Buffer, start: number, end: number): void;
}

/** SHA-256 of one body after another, however their bytes are cut. */
export class BodyHash implements BodySink {
  #hash: Hash = createHash("sha256");

  /** Takes `bytes[start, end)`, at once: the buffer may be used again. */
  update(bytes: Buffer, start: number, end: number): void {
    this.#hash.update(bytes.subarray(start, end));
  }

  /** Forgets the body so far. */
  reset(): void {
    this.#hash = createHash("sha256");
  }

  /** The hash of the body, in hexadecimal; `reset` before the next one. */
  digest(): string {
    return this.#hash.digest("hex");
  }
}
