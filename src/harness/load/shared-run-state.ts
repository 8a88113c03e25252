/** A body as the first success of a run had it. */
export interface FirstBody {
  readonly bodyBytes: number;
  /** SHA-256 in hexadecimal; "" where bodies are not looked at. */
  readonly sha256: string;
}

/** Words of the memory, each written by every thread and only by atomic operations. */
const LEFT = 0;
const OPEN = 1;
const PEAK = 2;
/** Of the first body: the thread that moves it from NONE to WRITING writes what follows, then moves it to KNOWN; others read after that. */
const STATE = 3;
const WORDS = 4;
const [NONE, WRITING, KNOWN] = [0, 1, 2] as const;

/** Behind the words: the first body's length as a double, the bytes of its hash, and how many these are. */
const LENGTH_AT = WORDS * Int32Array.BYTES_PER_ELEMENT;
const HASH_AT = LENGTH_AT + Float64Array.BYTES_PER_ELEMENT;
const HASH_BYTES = 32;
const BYTES = HASH_AT + HASH_BYTES + 1;

/** Memory for a run of which `requestsLeft` requests belong to no thread beforehand. */
export function sharedRunStateMemory(requestsLeft: number): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(BYTES);
  Atomics.store(new Int32Array(memory, 0, WORDS), LEFT, requestsLeft);
  return memory;
}

/** What the threads of one run have in common, so that their accounting is that of one run. Nothing of it is touched for an ordinary request of a single thread. */
export class SharedRunState {
  readonly #words: Int32Array;
  readonly #length: Float64Array;
  readonly #hash: Uint8Array;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory, 0, WORDS);
    this.#length = new Float64Array(memory, LENGTH_AT, 1);
    this.#hash = new Uint8Array(memory, HASH_AT, HASH_BYTES + 1);
  }

  /** Takes one of the requests that belong to no thread; false when there is none. */
  takeRequest(): boolean {
    return Atomics.sub(this.#words, LEFT, 1) > 0;
  }

  /** Whether there is such a request. */
  get hasRequest(): boolean {
    return Atomics.load(this.#words, LEFT) > 0;
  }

  connectionOpened(): void {
    const open = Atomics.add(this.#words, OPEN, 1) + 1;
    let peak = Atomics.load(this.#words, PEAK);
    // Another thread may raise it in between: what it was then is looked at anew.
    while (open > peak)
      peak = Atomics.compareExchange(this.#words, PEAK, peak, open) === peak ? open : this.peakConnections;
  }

  connectionClosed(): void {
    Atomics.sub(this.#words, OPEN, 1);
  }

  /** The most connections that were open at one time, over all threads. */
  get peakConnections(): number {
    return Atomics.load(this.#words, PEAK);
  }

  /** The body that all others have to equal: this one, where no thread has named one before. */
  firstBody(own: FirstBody): FirstBody {
    if (Atomics.compareExchange(this.#words, STATE, NONE, WRITING) === NONE) {
      this.#length[0] = own.bodyBytes;
      this.#hash[HASH_BYTES] = Buffer.from(own.sha256, "hex").copy(this.#hash);
      Atomics.store(this.#words, STATE, KNOWN);
      Atomics.notify(this.#words, STATE);
      return own;
    }
    Atomics.wait(this.#words, STATE, WRITING);
    const sha256 = Buffer.from(this.#hash.slice(0, this.#hash[HASH_BYTES])).toString("hex");
    return { bodyBytes: this.#length[0]!, sha256 };
  }
}
