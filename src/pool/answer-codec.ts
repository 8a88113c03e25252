import {
  COPIED_BODY_BYTES,
  type HandlerResponse,
  HeaderBlock,
  isFileBody,
  isStreamBody,
  type StreamBody,
} from "../shared/handlers/handler.js";
import { copyBytes } from "../shared/memory/copy-bytes.js";
import type { RecordRing } from "../shared/memory/record-ring.js";

/**
 * An answer in a worker's ring: six words, two times, then the header fields where they are new, then the body.
 * A block of header fields that is sent for the second time gets a number with its fields, main keeps both, by worker, and from the third
 * time on the number stands for them: blocks of single answers (a redirect, an ETag) take no numbers from those that come again. The ring
 * keeps the order, so a number never arrives before its fields. When all numbers are given, the worker forgets them and starts again:
 * fields that come with a number replace those it stood for.
 */
const SLOT_WORD = 0;
const STATUS_WORD = 1;
/** Number of the header block, from 1; 0: it has none, or no fields. */
const HEADERS_WORD = 2;
/** Bytes of the fields that follow; 0: there are none, or main knows them by number. */
const FIELDS_BYTES_WORD = 3;
const BODY_BYTES_WORD = 4;
/** Which filling of the slot it answers. */
const GENERATION_WORD = 5;
/** Float64 from here: when the worker claimed the request and when its handler was done, ms of the common clock; 0: not measured. */
const CLAIMED_BYTE = 24;
const DONE_BYTE = 32;
const HEAD_BYTES = 40;

const MAX_NUMBERED = 1024;
/** In BODY_BYTES_WORD: the body is a stream; in its place stand the length of all of it (float64; −1: not known) and its number. */
const STREAM = -1;
const STREAM_HEAD_BYTES = 12;

/** In SLOT_WORD: no answer, but a chunk of a stream, its end, and its end in the middle with the reason as its text. */
const CHUNK = -1;
const END = -2;
const FAILURE = -3;
/** Of those records: number of the stream, bytes that follow. */
const STREAM_WORD = 1;
const CHUNK_BYTES_WORD = 2;
const CHUNK_HEAD_BYTES = 12;

/** Not allowed inside a field, so it can stand between fields. */
const SEPARATOR = "\n";

/** Which request is answered, and when its worker had it. */
export interface AnswerTag {
  readonly slot: number;
  readonly generation: number;
  /** Both 0 where the request is not measured. */
  readonly claimedMs: number;
  readonly doneMs: number;
}

/** The worker's side. */
export class AnswerWriter {
  readonly #ring: RecordRing;
  readonly #numbers = new Map<HeaderBlock, number>();

  constructor(ring: RecordRing) {
    this.#ring = ring;
  }

  /**
   * Writes and publishes an answer; false when it must take the message channel: a file, a long body, or no room now. Of a stream it writes the
   * head, with its number.
   */
  write(tag: AnswerTag, { status, headers, body }: HandlerResponse, stream = 0): boolean {
    if (isFileBody(body)) return false;
    const ring = this.#ring;
    const isStream = isStreamBody(body);
    const bodyBytes = isStream
      ? STREAM_HEAD_BYTES
      : typeof body === "string"
        ? Buffer.byteLength(body)
        : body.byteLength;
    if (bodyBytes > COPIED_BODY_BYTES) return false;

    let number = headers.fields.length === 0 ? 0 : this.#numbers.get(headers);
    let fields = "";
    if (number === undefined) {
      fields = headers.fields.join(SEPARATOR);
      number = headers.wasSent ? this.#nextNumber() : 0;
    }
    // Field values are Latin-1 by HeaderBlock's own check: a byte a character.
    const recordBytes = HEAD_BYTES + fields.length + bodyBytes;
    if (recordBytes > ring.maxRecordBytes) return false;
    const offset = ring.reserve(recordBytes);
    if (offset === -1) return false;

    const word = offset >> 2;
    ring.words[word + SLOT_WORD] = tag.slot;
    ring.words[word + GENERATION_WORD] = tag.generation;
    ring.floats[(offset + CLAIMED_BYTE) >> 3] = tag.claimedMs;
    ring.floats[(offset + DONE_BYTE) >> 3] = tag.doneMs;
    ring.words[word + STATUS_WORD] = status;
    ring.words[word + HEADERS_WORD] = number;
    ring.words[word + FIELDS_BYTES_WORD] = fields.length;
    ring.words[word + BODY_BYTES_WORD] = isStream ? STREAM : bodyBytes;
    if (fields !== "") ring.bytes.write(fields, offset + HEAD_BYTES, "latin1");
    const bodyStart = offset + HEAD_BYTES + fields.length;
    if (typeof body === "string") {
      ring.bytes.write(body, bodyStart, "utf8");
    } else if (isStream) {
      ring.bytes.writeDoubleLE(body.bytes ?? -1, bodyStart);
      ring.bytes.writeUInt32LE(stream, bodyStart + 8);
    } else {
      copyBytes(ring.bytes, bodyStart, body);
    }
    ring.commit();
    // Only now: a block whose record found no room has not been sent.
    if (number > 0 && fields !== "") this.#numbers.set(headers, number);
    headers.wasSent = true;
    return true;
  }

  /** Writes and publishes a chunk; false when there is no room now. */
  writeChunk(stream: number, chunk: Uint8Array): boolean {
    const { byteLength } = chunk;
    const offset = this.#reserveFor(CHUNK, stream, byteLength);
    if (offset === -1) return false;
    copyBytes(this.#ring.bytes, offset, chunk, byteLength);
    this.#ring.commit();
    return true;
  }

  /** Writes and publishes that a stream is complete, or why it is not; false when there is no room now. */
  writeEnd(stream: number, failure: string | null): boolean {
    const bytes = failure === null ? 0 : Buffer.byteLength(failure);
    const offset = this.#reserveFor(failure === null ? END : FAILURE, stream, bytes);
    if (offset === -1) return false;
    if (failure !== null) this.#ring.bytes.write(failure, offset, "utf8");
    this.#ring.commit();
    return true;
  }

  #reserveFor(kind: number, stream: number, bytes: number): number {
    const ring = this.#ring;
    if (CHUNK_HEAD_BYTES + bytes > ring.maxRecordBytes) return -1;
    const offset = ring.reserve(CHUNK_HEAD_BYTES + bytes);
    if (offset === -1) return -1;
    const word = offset >> 2;
    ring.words[word + SLOT_WORD] = kind;
    ring.words[word + STREAM_WORD] = stream;
    ring.words[word + CHUNK_BYTES_WORD] = bytes;
    return offset + CHUNK_HEAD_BYTES;
  }

  #nextNumber(): number {
    if (this.#numbers.size === MAX_NUMBERED) this.#numbers.clear();
    return this.#numbers.size + 1;
  }
}

/** What becomes of the streams in a worker's ring. */
export interface StreamRecords {
  /** A response whose body is a stream. */
  open(stream: number, bytes: number): StreamBody;
  /** A view of shared memory: to be copied. */
  chunk(stream: number, view: Uint8Array): void;
  end(stream: number, failure: string | null): void;
}

/** Who has the streams of a worker by the time that records of streams are in its ring. */
interface StreamRecordsOwner {
  readonly streams: StreamRecords | null;
}

/** The main thread's side of one worker. */
export class AnswerReader {
  readonly #ring: RecordRing;
  readonly #owner: StreamRecordsOwner;
  readonly #blocks = [new HeaderBlock({})];

  constructor(ring: RecordRing, owner: StreamRecordsOwner) {
    this.#ring = ring;
    this.#owner = owner;
  }

  /** Shows the oldest answer to `use`, or part of a stream to the streams, and gives its bytes back; false when there is none. The body is a view of shared memory: use it up before returning. */
  read(use: (tag: AnswerTag, response: HandlerResponse) => void): boolean {
    const ring = this.#ring;
    const offset = ring.peek();
    if (offset === -1) return false;
    const word = offset >> 2;
    const slot = ring.words[word + SLOT_WORD]!;
    if (slot < 0) {
      this.#readStream(slot, offset);
      ring.release();
      return true;
    }
    const fieldsBytes = ring.words[word + FIELDS_BYTES_WORD]!;
    const bodyStart = offset + HEAD_BYTES + fieldsBytes;
    const headers = this.#headers(ring.words[word + HEADERS_WORD]!, offset + HEAD_BYTES, fieldsBytes);
    const bodyBytes = ring.words[word + BODY_BYTES_WORD]!;
    const body =
      bodyBytes === STREAM
        ? this.#owner.streams!.open(ring.bytes.readUInt32LE(bodyStart + 8), ring.bytes.readDoubleLE(bodyStart))
        : ring.bytes.subarray(bodyStart, bodyStart + bodyBytes);
    const tag = {
      slot,
      generation: ring.words[word + GENERATION_WORD]!,
      claimedMs: ring.floats[(offset + CLAIMED_BYTE) >> 3]!,
      doneMs: ring.floats[(offset + DONE_BYTE) >> 3]!,
    };
    use(tag, { status: ring.words[word + STATUS_WORD]!, headers, body });
    ring.release();
    return true;
  }

  #readStream(kind: number, offset: number): void {
    const { words, bytes } = this.#ring;
    const stream = words[(offset >> 2) + STREAM_WORD]! >>> 0;
    const start = offset + CHUNK_HEAD_BYTES;
    const end = start + words[(offset >> 2) + CHUNK_BYTES_WORD]!;
    if (kind === CHUNK) this.#owner.streams!.chunk(stream, bytes.subarray(start, end));
    else this.#owner.streams!.end(stream, kind === FAILURE ? bytes.toString("utf8", start, end) : null);
  }

  /** Whether there is nothing to read now. */
  get isEmpty(): boolean {
    return this.#ring.peek() === -1;
  }

  #headers(number: number, offset: number, fieldsBytes: number): HeaderBlock {
    if (fieldsBytes === 0) return this.#blocks[number]!;
    const block = headerBlockOf(this.#ring.bytes.toString("latin1", offset, offset + fieldsBytes).split(SEPARATOR));
    if (number > 0) this.#blocks[number] = block;
    return block;
  }
}

/** A block from fields that another thread has checked. Never throws. */
export function headerBlockOf(fields: readonly string[]): HeaderBlock {
  return new HeaderBlock(fields);
}
