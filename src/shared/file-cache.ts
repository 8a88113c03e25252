import { sep } from "node:path";
import { LRUCache } from "lru-cache";
import type { Loading } from "./cache/loading.js";
import type { CachedView, SharedCache } from "./cache/shared-cache.js";
import { threadClock } from "./clock.js";
import type { FileRules } from "./config.js";
import { codingsBeside, isAbsence, openBelow, partsOf, readStart } from "./disk-file.js";
import { COPIED_BODY_BYTES } from "./handlers/handler.js";
import { type FileFacts, headOf, parseHead, type Representation } from "./handlers/representation.js";
import { Field, type ThreadStats } from "./stats.js";

/** A file as it was read. */
export interface CachedFile {
  readonly kind: "file";
  readonly representation: Representation;
  readonly body: Uint8Array;
  /**
   * The pin on its bytes in the shared cache; null: the bytes are its own. Of a body that is longer than COPIED_BODY_BYTES it is whose the
   * file is given to, who gives it back; of a shorter one it is held here, at least until the next look-up.
   */
  readonly pin: number | null;
}

/** A file too large for the cache: to be streamed. */
export interface LargeFile {
  readonly kind: "large";
  readonly representation: Representation;
  /** Absolute path, without symbolic links. */
  readonly file: string;
  readonly bytes: number;
  readonly modifiedMs: number;
}

/** What stands at a path: a file, a folder, or nothing that may be served. */
export type Found = CachedFile | LargeFile | { readonly kind: "folder" } | { readonly kind: "nothing" };

const NOTHING = { kind: "nothing" } as const;
const FOLDER = { kind: "folder" } as const;

/** How long a changed file may go on being served as it was. */
const FRESH_MS = 1000;
/** What a thread keeps pinned for itself, of the shared cache and over all threads: the rest can be evicted. */
const PINNED_SHARE = 1 / 4;
/** Representations that a thread keeps ready: where they are the same objects, the pool sends numbers for their fields. */
const MAX_REPRESENTATIONS = 4096;
/**
 * The files of one root in memory: a small cache of each thread, which answers hot files without a lock, before the one that all
 * threads share. A file is compared with the disk a second after it was last, by one thread for all of them: that it is still there, that
 * no link leads out of the root, that it has not changed, in which codings it is there. So an answer is a second old at most. Misses of
 * one path that come at the same time, from whatever thread, read the disk once. What is asked for is an absolute path, or a key that
 * stands for a coding beside it (disk-file.ts).
 */
export class FileCache {
  readonly #hot: LRUCache<string, CachedFile>;
  readonly #shared: SharedCache;
  readonly #loading: Loading;
  readonly #stats: ThreadStats;
  /** The root with a slash after it. */
  readonly #folder: string;
  readonly #nowMs = threadClock();
  readonly #rules: FileRules;
  /** By the head of an entry. */
  readonly #representations = new LRUCache<string, Representation>({ max: MAX_REPRESENTATIONS });
  /** Pins that are given back with the next look-up. */
  readonly #toRelease: number[] = [];
  readonly #reading = new Map<string, Promise<Found>>();

  /** `root` is absolute and without symbolic links. */
  constructor(root: string, rules: FileRules, shared: SharedCache, loading: Loading, stats: ThreadStats) {
    this.#folder = root.endsWith(sep) ? root : root + sep;
    this.#rules = rules;
    this.#shared = shared;
    this.#loading = loading;
    this.#stats = stats;
    const { bytes, threads } = shared.shape;
    this.#hot = new LRUCache({
      maxSize: Math.max(1, Math.floor((bytes * PINNED_SHARE) / threads)),
      // A long body gains nothing by being found a microsecond sooner, and would keep its shard from using the place.
      maxEntrySize: COPIED_BODY_BYTES,
      sizeCalculation: (file) => file.body.byteLength + 1,
      ttl: FRESH_MS,
      // A worker that is always busy runs no timers, on which a coarser resolution would rely: read the clock each time.
      ttlResolution: 0,
      dispose: ({ pin }) => {
        if (pin !== null) shared.release(pin);
      },
    });
  }

  /** A file that is in memory and was compared with the disk within the last second; undefined otherwise. Its bytes stay until the caller returns. */
  get(file: string): CachedFile | undefined {
    for (let pin = this.#toRelease.pop(); pin !== undefined; pin = this.#toRelease.pop()) this.#shared.release(pin);
    const hot = this.#hot.get(file);
    if (hot !== undefined) {
      this.#stats.add(Field.cacheHits, 1);
      return hot;
    }
    const view = this.#shared.get(file);
    if (view === undefined) return undefined;
    if (this.#nowMs() - view.checkedMs >= FRESH_MS) {
      this.#shared.release(view.pin);
      return undefined;
    }
    this.#stats.add(Field.cacheSharedHits, 1);
    if (view.body.byteLength > COPIED_BODY_BYTES) return this.#fileOf(view);
    const found = this.#keep(file, view);
    // Not taken: the bytes must stay until the caller has returned. A worker may never come back to its event loop, but it comes here.
    if (!this.#hot.has(file)) this.#toRelease.push(view.pin);
    return found;
  }

  /** What `get` or `read` gave is not sent. */
  giveBack(found: CachedFile | LargeFile): void {
    if (found.kind === "file" && found.pin !== null && found.body.byteLength > COPIED_BODY_BYTES) {
      this.#shared.release(found.pin);
    }
  }

  /** What stands at an absolute path now. Never rejects for what is absent or forbidden: that is "nothing". */
  read(file: string): Promise<Found> {
    const running = this.#reading.get(file);
    if (running !== undefined) return running;
    const reading = this.#readOnce(file).finally(() => this.#reading.delete(file));
    this.#reading.set(file, reading);
    return reading;
  }

  async #readOnce(file: string): Promise<Found> {
    const elsewhere = this.#loading.begin(file);
    if (elsewhere !== undefined) {
      await elsewhere;
      const found = this.get(file);
      if (found !== undefined) {
        // Bytes of its own: who waits for a promise comes later, when a pin may be gone.
        const own = { ...found, body: Uint8Array.from(found.body), pin: null };
        this.giveBack(found);
        return own;
      }
    }
    try {
      this.#stats.add(Field.cacheMisses, 1);
      return await this.#readFromDisk(file);
    } finally {
      if (elsewhere === undefined) this.#loading.end(file);
    }
  }

  async #readFromDisk(key: string): Promise<Found> {
    const { file, coding } = partsOf(key);
    try {
      const opened = await openBelow(this.#folder, key);
      if (opened === null) return NOTHING;
      const { handle, real } = opened;
      try {
        const checkedMs = this.#nowMs();
        const before = await handle.stat();
        if (before.isDirectory()) return FOLDER;
        if (!before.isFile()) return NOTHING;
        const facts: FileFacts = {
          path: file.slice(this.#folder.length - 1),
          bytes: before.size,
          modifiedMs: before.mtimeMs,
          coding,
          codings: coding === null ? await codingsBeside(file) : [],
        };
        const head = headOf(facts, this.#rules, Date.now());
        const known = this.#shared.get(key);
        if (known !== undefined) {
          // The head has the length and the time of change in it.
          if (known.head === head) {
            this.#shared.confirm(known.pin, checkedMs);
            const own = { ...this.#fileOf(known), body: Uint8Array.from(known.body), pin: null };
            this.#keepOrRelease(key, { ...known, checkedMs });
            return own;
          }
          this.#shared.release(known.pin);
        }
        const representation = this.#representationOf(head);
        if (before.size + Buffer.byteLength(head) + Buffer.byteLength(key) > this.#shared.layout.maxEntryBytes) {
          this.#stats.add(Field.cacheBypassed, 1);
          return { kind: "large", representation, file: real, bytes: before.size, modifiedMs: before.mtimeMs };
        }
        const body = await readStart(handle, before.size);
        const after = await handle.stat();
        if (after.mtimeMs !== before.mtimeMs || after.size !== body.byteLength) {
          // It changed while it was read: served once as it was read, without validators, and not kept.
          const unversioned = parseHead(headOf({ ...facts, modifiedMs: null }, this.#rules, Date.now()));
          return { kind: "file", representation: unversioned, body, pin: null };
        }
        const entry = { status: 200, head, body, modifiedMs: before.mtimeMs, checkedMs };
        const view = this.#shared.put(key, entry);
        if (view !== undefined) this.#keepOrRelease(key, view);
        return { kind: "file", representation, body, pin: null };
      } finally {
        await handle.close();
      }
    } catch (error) {
      if (!isAbsence(error)) throw error;
      this.#shared.remove(key);
      return NOTHING;
    }
  }

  #fileOf({ head, body, pin }: CachedView): CachedFile {
    return { kind: "file", representation: this.#representationOf(head), body, pin };
  }

  /** Keeps a view, and its pin, among the hot ones for as long as it is fresh. A long one is not taken, nor one larger than all of them. */
  #keep(file: string, view: CachedView): CachedFile {
    const found = this.#fileOf(view);
    this.#hot.set(file, found, { ttl: Math.max(1, view.checkedMs + FRESH_MS - this.#nowMs()) });
    return found;
  }

  #keepOrRelease(file: string, view: CachedView): void {
    this.#keep(file, view);
    if (!this.#hot.has(file)) this.#shared.release(view.pin);
  }

  #representationOf(head: string): Representation {
    const known = this.#representations.get(head);
    if (known !== undefined) return known;
    const representation = parseHead(head);
    this.#representations.set(head, representation);
    return representation;
  }
}
