import { BadResult, shown, typeOf } from "./result-error.js";

type AnyIterator = Iterator<unknown> | AsyncIterator<unknown>;

/** What is read of something that may be a stream. */
interface Candidate {
  readonly [Symbol.asyncIterator]?: unknown;
  readonly [Symbol.iterator]?: unknown;
  readonly next?: unknown;
  readonly locked?: unknown;
  readonly pipe?: unknown;
  readonly on?: unknown;
  readonly destroy?: unknown;
}

const encoder = new TextEncoder();
const DONE = { done: true, value: undefined } as const;

/**
 * The chunks of what a handler returned as a stream: a ReadableStream, a Readable of Node, another async iterable, or an iterator, as
 * generators are. null: it is none of these. Throws BadResult for one that somebody else reads.
 */
export function chunksOf(source: object): AsyncIterator<Uint8Array> | null {
  const candidate = source as Candidate;
  const ofAsync = candidate[Symbol.asyncIterator];
  if (typeof ofAsync === "function") {
    if (candidate.locked === true) throw new BadResult("a ReadableStream that is locked: return one that nobody reads");
    const readable = isReadable(candidate) ? candidate : null;
    // An error before its first chunk is asked for would end the process. Who iterates gets it, too.
    readable?.on("error", () => {});
    return new Chunks(Reflect.apply(ofAsync, source, []) as AnyIterator, readable);
  }
  // Arrays, maps and texts iterate, too, but over parts that are no chunks: only what is itself an iterator is taken for a stream.
  const ofSync = candidate[Symbol.iterator];
  if (typeof ofSync === "function" && typeof candidate.next === "function") {
    return new Chunks(Reflect.apply(ofSync, source, []) as AnyIterator, null);
  }
  return typeof candidate.next === "function" ? new Chunks(source as AnyIterator, null) : null;
}

/** A Readable of Node: one that was never read is let go of by `destroy` only. */
interface DestroyableReadable {
  on(event: "error", listener: () => void): unknown;
  destroy(): unknown;
}

function isReadable(candidate: Candidate): candidate is Candidate & DestroyableReadable {
  const { pipe, on, destroy } = candidate;
  return typeof pipe === "function" && typeof on === "function" && typeof destroy === "function";
}

/** What an iterator yields, as bytes that are not empty. */
class Chunks implements AsyncIterator<Uint8Array> {
  readonly #iterator: AnyIterator;
  readonly #readable: DestroyableReadable | null;

  constructor(iterator: AnyIterator, readable: DestroyableReadable | null) {
    this.#iterator = iterator;
    this.#readable = readable;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    for (;;) {
      const result: unknown = await this.#iterator.next();
      if (typeof result !== "object" || result === null)
        throw new BadResult(`a stream whose next() gave ${shown(result)}`);
      const { done, value } = result as IteratorResult<unknown>;
      if (done === true) return DONE;
      const bytes = bytesOf(value);
      if (bytes.byteLength > 0) return { done: false, value: bytes };
    }
  }

  /** No more is wanted. What the generator does at its end is awaited, and may fail, for nobody. */
  async return(): Promise<IteratorResult<Uint8Array>> {
    this.#readable?.destroy();
    await this.#iterator.return?.();
    return DONE;
  }
}

function bytesOf(chunk: unknown): Uint8Array {
  if (typeof chunk === "string") return encoder.encode(chunk);
  if (chunk instanceof Uint8Array) return chunk;
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  throw new BadResult(`a stream with a chunk of type ${typeOf(chunk)}: use strings or Uint8Array`);
}
