import { open, realpath } from "node:fs/promises";
import { sep } from "node:path";
import { LRUCache } from "lru-cache";
import { lookup } from "mrmime";
import type { Loading } from "./cache/loading.js";
import type { CachedView, SharedCache } from "./cache/shared-cache.js";
import { threadClock } from "./clock.js";
import { COPIED_BODY_BYTES, HeaderBlock } from "./handlers/handler.js";
import { Field, type ThreadStats } from "./stats.js";

/** A file as it was read. */
export interface CachedFile {
  readonly kind: "file";
  readonly headers: HeaderBlock;
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
  readonly headers: HeaderBlock;
  readonly file: string;
  readonly bytes: number;
}

/** What stands at a path: a file, a folder, or nothing that may be served. */
export type Found = CachedFile | LargeFile | { readonly kind: "folder" } | { readonly kind: "nothing" };

const NOTHING = { kind: "nothing" } as const;
const FOLDER = { kind: "folder" } as const;

/** How long a changed file may go on being served as it was. */
const FRESH_MS = 1000;
/** What a thread keeps pinned for itself, of the shared cache and over all threads: the rest can be evicted. */
const PINNED_SHARE = 1 / 4;
/** Room for path and content type beside a body. */
const ENTRY_BYTES = 4096 + 128;
const ABSENT_CODES: readonly unknown[] = ["ENOENT", "ENOTDIR", "EACCES", "ENAMETOOLONG", "ELOOP", "EISDIR"];

/**
 * The files of one root in memory: a small cache of each thread, which answers hot files without a lock, before the one that all
 * threads share. A file is compared with the disk a second after it was last, by one thread for all of them. Misses of one path that come
 * at the same time, from whatever thread, read the disk once.
 */
export class FileCache {
  readonly #hot: LRUCache<string, CachedFile>;
  readonly #shared: SharedCache;
  readonly #loading: Loading;
  readonly #stats: ThreadStats;
  readonly #root: string;
  readonly #nowMs = threadClock();
  /** Headers by content type: one block serves all files of a type. */
  readonly #headers = new Map<string, HeaderBlock>();
  /** Pins that are given back with the next look-up. */
  readonly #toRelease: number[] = [];
  readonly #reading = new Map<string, Promise<Found>>();

  /** `root` is absolute and without symbolic links. */
  constructor(root: string, shared: SharedCache, loading: Loading, stats: ThreadStats) {
    this.#root = root;
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
        if (found.pin !== null && found.body.byteLength > COPIED_BODY_BYTES) this.#shared.release(found.pin);
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

  async #readFromDisk(file: string): Promise<Found> {
    try {
      const real = await realpath(file);
      if (real !== this.#root && !real.startsWith(this.#root.endsWith(sep) ? this.#root : this.#root + sep))
        return NOTHING;
      const handle = await open(real);
      try {
        const checkedMs = this.#nowMs();
        const before = await handle.stat();
        if (before.isDirectory()) return FOLDER;
        if (!before.isFile()) return NOTHING;
        const known = this.#shared.get(file);
        if (known !== undefined) {
          if (known.modifiedMs === before.mtimeMs && known.body.byteLength === before.size) {
            this.#shared.confirm(known.pin, checkedMs);
            const own = { ...this.#fileOf(known), body: Uint8Array.from(known.body), pin: null };
            this.#keepOrRelease(file, { ...known, checkedMs });
            return own;
          }
          this.#shared.release(known.pin);
        }
        const type = contentType(real);
        const headers = this.#headersOf(type);
        if (before.size > this.#shared.layout.maxEntryBytes - ENTRY_BYTES) {
          this.#stats.add(Field.cacheBypassed, 1);
          return { kind: "large", headers, file: real, bytes: before.size };
        }
        const body = new Uint8Array(before.size);
        let filled = 0;
        while (filled < body.byteLength) {
          const { bytesRead } = await handle.read(body, filled, body.byteLength - filled, filled);
          if (bytesRead === 0) break;
          filled += bytesRead;
        }
        const found: CachedFile = { kind: "file", headers, body: body.subarray(0, filled), pin: null };
        // A file that changed while it was read is served once as it was read, but not kept.
        const after = await handle.stat();
        if (after.mtimeMs !== before.mtimeMs || after.size !== filled) return found;
        const entry = { status: 200, head: type, body: found.body, modifiedMs: before.mtimeMs, checkedMs };
        const view = this.#shared.put(file, entry);
        if (view !== undefined) this.#keepOrRelease(file, view);
        return found;
      } finally {
        await handle.close();
      }
    } catch (error) {
      if (!ABSENT_CODES.includes((error as NodeJS.ErrnoException).code)) throw error;
      this.#shared.remove(file);
      return NOTHING;
    }
  }

  #fileOf({ head, body, pin }: CachedView): CachedFile {
    return { kind: "file", headers: this.#headersOf(head), body, pin };
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

  #headersOf(type: string): HeaderBlock {
    const known = this.#headers.get(type);
    if (known !== undefined) return known;
    const headers = new HeaderBlock({ "Content-Type": type });
    this.#headers.set(type, headers);
    return headers;
  }
}

function contentType(file: string): string {
  const type = lookup(file) ?? "application/octet-stream";
  const isText = type.startsWith("text/") || type === "application/json" || type === "image/svg+xml";
  return isText ? `${type}; charset=utf-8` : type;
}
