import { COPIED_BODY_BYTES, type HandlerResponse, HeaderBlock, isFileBody } from "../shared/handlers/handler.js";
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

  /** Writes and publishes an answer; false when it must take the message channel: a file, a long body, or no room now. */
  write(tag: AnswerTag, { status, headers, body }: HandlerResponse): boolean {
    if (isFileBody(body)) return false;
    const ring = this.#ring;
    const bodyBytes = typeof body === "string" ? Buffer.byteLength(body) : body.byteLength;
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
    ring.words[word + BODY_BYTES_WORD] = bodyBytes;
    if (fields !== "") ring.bytes.write(fields, offset + HEAD_BYTES, "latin1");
    const bodyStart = offset + HEAD_BYTES + fields.length;
    if (typeof body === "string") ring.bytes.write(body, bodyStart, "utf8");
    else ring.bytes.set(body, bodyStart);
    ring.commit();
    // Only now: a block whose record found no room has not been sent.
    if (number > 0 && fields !== "") this.#numbers.set(headers, number);
    headers.wasSent = true;
    return true;
  }

  #nextNumber(): number {
    if (this.#numbers.size === MAX_NUMBERED) this.#numbers.clear();
    return this.#numbers.size + 1;
  }
}

/** The main thread's side of one worker. */
export class AnswerReader {
  readonly #ring: RecordRing;
  readonly #blocks = [new HeaderBlock({})];

  constructor(ring: RecordRing) {
    this.#ring = ring;
  }

  /** Shows the oldest answer to `use` and gives its bytes back; false when there is none. The body is a view of shared memory: use it up before returning. */
  read(use: (tag: AnswerTag, response: HandlerResponse) => void): boolean {
    const ring = this.#ring;
    const offset = ring.peek();
    if (offset === -1) return false;
    const word = offset >> 2;
    const fieldsBytes = ring.words[word + FIELDS_BYTES_WORD]!;
    const bodyStart = offset + HEAD_BYTES + fieldsBytes;
    const headers = this.#headers(ring.words[word + HEADERS_WORD]!, offset + HEAD_BYTES, fieldsBytes);
    const body = ring.bytes.subarray(bodyStart, bodyStart + ring.words[word + BODY_BYTES_WORD]!);
    const tag = {
      slot: ring.words[word + SLOT_WORD]!,
      generation: ring.words[word + GENERATION_WORD]!,
      claimedMs: ring.floats[(offset + CLAIMED_BYTE) >> 3]!,
      doneMs: ring.floats[(offset + DONE_BYTE) >> 3]!,
    };
    use(tag, { status: ring.words[word + STATUS_WORD]!, headers, body });
    ring.release();
    return true;
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
