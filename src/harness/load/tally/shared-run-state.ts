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
/** Of the first body of each kind: the thread that moves it from NONE to WRITING writes what follows, then moves it to KNOWN; others read after that. */
const STATES = 3;
const [NONE, WRITING, KNOWN] = [0, 1, 2] as const;

/** Of a kind's first body, behind the words: the bytes of its hash, and how many these are. */
const HASH_BYTES = 32;

/** Where things lie in the memory of a run with so many kinds of request. */
function layoutOf(kinds: number) {
  const words = STATES + kinds;
  // Lengths are doubles, which lie at multiples of their size.
  const lengthsAt = Math.ceil((words * Int32Array.BYTES_PER_ELEMENT) / 8) * 8;
  const hashesAt = lengthsAt + kinds * Float64Array.BYTES_PER_ELEMENT;
  return { words, lengthsAt, hashesAt, bytes: hashesAt + kinds * (HASH_BYTES + 1) };
}

/** Memory for a run of which `requestsLeft` requests belong to no thread beforehand, with so many kinds of request. */
export function sharedRunStateMemory(requestsLeft: number, kinds: number): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(layoutOf(kinds).bytes);
  Atomics.store(new Int32Array(memory, 0, STATES), LEFT, requestsLeft);
  return memory;
}

/** What the threads of one run have in shared, so that their accounting is that of one run. Nothing of it is touched for an ordinary request of a single thread. */
export class SharedRunState {
  readonly #words: Int32Array;
  readonly #lengths: Float64Array;
  readonly #hashes: Uint8Array;

  constructor(memory: SharedArrayBuffer, kinds: number) {
    const { words, lengthsAt, hashesAt } = layoutOf(kinds);
    this.#words = new Int32Array(memory, 0, words);
    this.#lengths = new Float64Array(memory, lengthsAt, kinds);
    this.#hashes = new Uint8Array(memory, hashesAt, kinds * (HASH_BYTES + 1));
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

  /** The body that all others of its kind have to equal: this one, where no thread has named one before. */
  firstBody(kind: number, own: FirstBody): FirstBody {
    const state = STATES + kind;
    const hash = this.#hashes.subarray(kind * (HASH_BYTES + 1), (kind + 1) * (HASH_BYTES + 1));
    if (Atomics.compareExchange(this.#words, state, NONE, WRITING) === NONE) {
      this.#lengths[kind] = own.bodyBytes;
      hash[HASH_BYTES] = Buffer.from(own.sha256, "hex").copy(hash);
      Atomics.store(this.#words, state, KNOWN);
      Atomics.notify(this.#words, state);
      return own;
    }
    Atomics.wait(this.#words, state, WRITING);
    const sha256 = Buffer.from(hash.slice(0, hash[HASH_BYTES])).toString("hex");
    return { bodyBytes: this.#lengths[kind]!, sha256 };
  }
}
