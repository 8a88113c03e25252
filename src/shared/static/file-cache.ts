import type { FileHandle } from "node:fs/promises";
import { LRUCache } from "lru-cache";
import type { Loading } from "../cache/loading.js";
import type { CachedView, SharedCache } from "../cache/shared-cache.js";
import { threadClock } from "../clock.js";
import type { FileRules } from "../config.js";
import { COPIED_BODY_BYTES } from "../handlers/handler.js";
import { Counter, type ThreadStats } from "../stats/stats.js";
import {
  closeQuietly,
  codingsBeside,
  isAbsence,
  isExhaustion,
  openBelow,
  partsOf,
  readStart,
  versionOf,
} from "./disk-file.js";
import { strongTag, weakTag } from "./entity-tag.js";
import { type FileFacts, headOf, parseHead, type Representation } from "./representation.js";
import { Semaphore } from "./semaphore.js";
import type { SiteRoot } from "./site-root.js";

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
  /** Its path, for messages. */
  readonly file: string;
  readonly bytes: number;
  /** The file that the representation describes, and no other. It is whose the file is given to, who closes it or gives it back. */
  readonly handle: FileHandle;
}

/** What stands at a path: a file, a folder, nothing that may be served, or what cannot be opened as long as so much else is open. */
export type Found = CachedFile | LargeFile | { readonly kind: "folder" | "nothing" | "too many open" };

const NOTHING = { kind: "nothing" } as const;
const FOLDER = { kind: "folder" } as const;
const TOO_MANY_OPEN = { kind: "too many open" } as const;

/** How long a changed file may go on being served as it was. */
const FRESH_MS = 1000;
/**
 * The clocks of file systems tick, every 2 s at worst (FAT): a file may change again within a tick, and look as before. So one that has
 * changed so lately is read anew with the next look.
 */
const SETTLED_MS = 2000;
/** Of a file that is read anew in any case. */
const UNSETTLED = "";
/** What a thread keeps pinned for itself, of the shared cache and over all threads: the rest can be evicted. */
const PINNED_SHARE = 1 / 4;
/** Files that a thread looks at on the disk at once. Node reads four at a time; each takes a descriptor, which no adapter has counted yet. */
const MAX_READS = 16;
/** Representations that a thread keeps ready: where they are the same objects, the pool sends numbers for their fields. */
const MAX_REPRESENTATIONS = 4096;
/**
 * The files of one root in memory: a small cache of each thread, which answers hot files without a lock, before the one that all
 * threads share. A file is compared with the disk a second after it was last, by one thread for all of them: that it is still there, that
 * no link leads out of the root, that it has not changed, in which codings it is there. So an answer is a second old at most. Misses of
 * one path that come at the same time, from whatever thread, read the disk once. What is asked for is a path below the root's own, or a
 * key that stands for a coding beside it (disk-file.ts): where the root is a link that is exchanged, the paths stay what they are.
 *
 * The head of a shared entry is the version of the file (`versionOf`), a line feed, and what `headOf` wrote.
 */
export class FileCache {
  readonly #hot: LRUCache<string, CachedFile>;
  readonly #shared: SharedCache;
  readonly #loading: Loading;
  readonly #stats: ThreadStats;
  /** What an entry may take in the shared cache. */
  readonly #maxBytes: number;
  readonly #root: SiteRoot;
  readonly #nowMs = threadClock();
  readonly #rules: FileRules;
  /** By what `headOf` wrote. */
  readonly #representations = new LRUCache<string, Representation>({ max: MAX_REPRESENTATIONS });
  /** Pins that are given back with the next look-up. */
  readonly #toRelease: number[] = [];
  readonly #disk = new Semaphore(MAX_READS);
  readonly #reading = new Map<string, Promise<Found>>();

  constructor(root: SiteRoot, rules: FileRules, shared: SharedCache, loading: Loading, stats: ThreadStats) {
    this.#root = root;
    this.#rules = rules;
    this.#shared = shared;
    this.#loading = loading;
    this.#stats = stats;
    this.#maxBytes = shared.layout.maxEntryBytes;
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
      this.#stats.add(Counter.cacheHits, 1);
      return hot;
    }
    const view = this.#shared.get(file);
    if (view === undefined) return undefined;
    if (this.#nowMs() - view.checkedMs >= FRESH_MS) {
      this.#shared.release(view.pin);
      return undefined;
    }
    this.#stats.add(Counter.cacheSharedHits, 1);
    if (view.body.byteLength > COPIED_BODY_BYTES) return this.#fileOf(view);
    const found = this.#keep(file, view);
    // Not taken: the bytes must stay until the caller has returned. A worker may never come back to its event loop, but it comes here.
    if (!this.#hot.has(file)) this.#toRelease.push(view.pin);
    return found;
  }

  /** What `get` or `read` gave is not sent. */
  giveBack(found: CachedFile | LargeFile): void {
    if (found.kind === "large") closeQuietly(found.handle);
    else if (found.pin !== null && found.body.byteLength > COPIED_BODY_BYTES) this.#shared.release(found.pin);
  }

  /** What stands at a path now. Never rejects for what is absent or forbidden: that is "nothing". */
  async read(key: string): Promise<Found> {
    const running = this.#reading.get(key);
    if (running !== undefined) {
      const found = await running;
      // An open file is for one.
      return found.kind === "large" ? this.#readFromDisk(key) : found;
    }
    const reading = this.#readOnce(key).finally(() => this.#reading.delete(key));
    this.#reading.set(key, reading);
    return reading;
  }

  async #readOnce(key: string): Promise<Found> {
    const elsewhere = this.#loading.begin(key);
    try {
      await elsewhere;
      // Also by who has just been done, and not seen at work.
      const found = this.get(key);
      if (found === undefined) return await this.#readFromDisk(key);
      // Bytes of its own: who waits for a promise comes later, when a pin may be gone.
      const own = { ...found, body: Uint8Array.from(found.body), pin: null };
      this.giveBack(found);
      return own;
    } finally {
      if (elsewhere === undefined) this.#loading.end(key);
    }
  }

  async #readFromDisk(key: string): Promise<Found> {
    this.#stats.add(Counter.cacheMisses, 1);
    let handle: FileHandle | null = null;
    await this.#disk.enter();
    try {
      handle = await openBelow(this.#root, key);
      const found = handle === null ? NOTHING : await this.#readOpen(handle, key);
      // Its handle goes with it.
      if (found.kind === "large") handle = null;
      return found;
    } catch (error) {
      if (isExhaustion(error)) return TOO_MANY_OPEN;
      if (!isAbsence(error)) throw error;
      this.#shared.remove(key);
      return NOTHING;
    } finally {
      await handle?.close();
      this.#disk.leave();
    }
  }

  async #readOpen(handle: FileHandle, key: string): Promise<Found> {
    const checkedMs = this.#nowMs();
    const before = await handle.stat({ bigint: true });
    if (before.isDirectory()) return FOLDER;
    if (!before.isFile()) return NOTHING;
    const { file, coding } = partsOf(key);
    const bytes = Number(before.size);
    const modifiedMs = Number(before.mtimeNs) / 1e6;
    const codings = coding === null ? await codingsBeside(file) : [];
    const nowMs = Date.now();
    const headWith = (etag: string | null): string => {
      const facts: FileFacts = { path: this.#root.below(file), modifiedMs, etag, coding, codings };
      return headOf(facts, this.#rules, nowMs);
    };
    const seen = versionOf(before);
    const version = nowMs - Number(before.ctimeNs) / 1e6 >= SETTLED_MS ? seen : UNSETTLED;
    const confirmed = this.#confirm(key, version, headWith, checkedMs);
    if (confirmed !== undefined) return confirmed;

    const largeHead = headWith(weakTag(bytes, modifiedMs, coding));
    if (bytes + version.length + Buffer.byteLength(largeHead) + Buffer.byteLength(key) > this.#maxBytes) {
      this.#stats.add(Counter.cacheBypassed, 1);
      return { kind: "large", representation: this.#representationOf(largeHead), file, bytes, handle };
    }
    const { body, hash } = await readStart(handle, bytes);
    const after = await handle.stat({ bigint: true });
    if (versionOf(after) !== seen || body.byteLength !== bytes) {
      // It changed while it was read: served once as it was read, without validators, and not kept.
      return { kind: "file", representation: parseHead(headWith(null)), body, pin: null };
    }
    const head = headWith(strongTag(hash, coding));
    const entry = { status: 200, head: `${version}\n${head}`, body, modifiedMs, checkedMs };
    const view = this.#shared.put(key, entry);
    if (view !== undefined) this.#keepOrRelease(key, view);
    return { kind: "file", representation: this.#representationOf(head), body, pin: null };
  }

  /** The entry of a key, if it has this version and all that is said of it is still the same: it has been compared with the disk. */
  #confirm(
    key: string,
    version: string,
    headWith: (etag: string) => string,
    checkedMs: number,
  ): CachedFile | undefined {
    const known = this.#shared.get(key);
    if (known === undefined) return undefined;
    const file = this.#fileOf(known);
    if (version === UNSETTLED || known.head !== `${version}\n${headWith(file.representation.etag)}`) {
      this.#shared.release(known.pin);
      return undefined;
    }
    this.#shared.confirm(known.pin, checkedMs);
    const own = { ...file, body: Uint8Array.from(known.body), pin: null };
    this.#keepOrRelease(key, { ...known, checkedMs });
    return own;
  }

  #fileOf({ head, body, pin }: CachedView): CachedFile {
    const representation = this.#representationOf(head.slice(head.indexOf("\n") + 1));
    return { kind: "file", representation, body, pin };
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
