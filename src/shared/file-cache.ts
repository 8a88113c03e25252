import { open, realpath } from "node:fs/promises";
import { sep } from "node:path";
import { LRUCache } from "lru-cache";
import { lookup } from "mrmime";
import { HeaderBlock } from "./handlers/handler.js";

/** A file as it was read: its bytes in shared memory, so that another thread can send them without a copy. */
export interface CachedFile {
  readonly kind: "file";
  readonly headers: HeaderBlock;
  readonly body: Uint8Array;
  readonly modifiedMs: number;
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
/** A file may take this share of the cache at most, and never more than MAX_CACHED_FILE_BYTES. */
const MAX_SHARE = 1 / 8;
const MAX_CACHED_FILE_BYTES = 8 * 2 ** 20;
/** What an entry costs beside its body: its keys, headers and objects, roughly. */
const ENTRY_BYTES = 512;
const ABSENT_CODES: readonly unknown[] = ["ENOENT", "ENOTDIR", "EACCES", "ENAMETOOLONG", "ELOOP", "EISDIR"];

/**
 * The files of one root in memory, bounded in bytes, one cache per thread that runs handlers. A hit is looked at again on the
 * disk after a second; misses of one path that come at the same time read the disk once.
 */
export class FileCache {
  readonly #cache: LRUCache<string, CachedFile>;
  readonly #root: string;
  readonly #maxFileBytes: number;
  /** Headers by content type: one block serves all files of a type. */
  readonly #headers = new Map<string, HeaderBlock>();
  readonly #reading = new Map<string, Promise<Found>>();

  /** `root` is absolute and without symbolic links. */
  constructor(root: string, cacheBytes: number) {
    this.#root = root;
    this.#maxFileBytes = Math.min(Math.floor(cacheBytes * MAX_SHARE), MAX_CACHED_FILE_BYTES);
    this.#cache = new LRUCache({
      maxSize: cacheBytes,
      sizeCalculation: (file, path) => file.body.byteLength + path.length + ENTRY_BYTES,
      ttl: FRESH_MS,
      // A worker that is always busy runs no timers, on which a coarser resolution would rely: read the clock each time.
      ttlResolution: 0,
      noDeleteOnStaleGet: true,
    });
  }

  /** A file that is in the cache and was looked at within the last second; undefined otherwise. */
  get(file: string): CachedFile | undefined {
    return this.#cache.get(file);
  }

  /** What stands at an absolute path now. Never rejects for what is absent or forbidden: that is "nothing". */
  read(file: string): Promise<Found> {
    const running = this.#reading.get(file);
    if (running !== undefined) return running;
    const reading = this.#readFromDisk(file).finally(() => this.#reading.delete(file));
    this.#reading.set(file, reading);
    return reading;
  }

  async #readFromDisk(file: string): Promise<Found> {
    try {
      const real = await realpath(file);
      if (real !== this.#root && !real.startsWith(this.#root.endsWith(sep) ? this.#root : this.#root + sep))
        return NOTHING;
      const handle = await open(real);
      try {
        const before = await handle.stat();
        if (before.isDirectory()) return FOLDER;
        if (!before.isFile()) return NOTHING;
        const known = this.#cache.get(file, { allowStale: true });
        if (known?.modifiedMs === before.mtimeMs && known.body.byteLength === before.size) {
          this.#cache.set(file, known);
          return known;
        }
        const headers = this.#headersOf(real);
        if (before.size > this.#maxFileBytes) return { kind: "large", headers, file: real, bytes: before.size };
        const body = new Uint8Array(new SharedArrayBuffer(before.size));
        let filled = 0;
        while (filled < body.byteLength) {
          const { bytesRead } = await handle.read(body, filled, body.byteLength - filled, filled);
          if (bytesRead === 0) break;
          filled += bytesRead;
        }
        const found: CachedFile = { kind: "file", headers, body: body.subarray(0, filled), modifiedMs: before.mtimeMs };
        // A file that changed while it was read is served once as it was read, but not kept.
        const after = await handle.stat();
        if (after.mtimeMs === before.mtimeMs && after.size === filled) this.#cache.set(file, found);
        return found;
      } finally {
        await handle.close();
      }
    } catch (error) {
      if (ABSENT_CODES.includes((error as NodeJS.ErrnoException).code)) return NOTHING;
      throw error;
    }
  }

  #headersOf(file: string): HeaderBlock {
    const type = lookup(file) ?? "application/octet-stream";
    const known = this.#headers.get(type);
    if (known !== undefined) return known;
    const isText = type.startsWith("text/") || type === "application/json" || type === "image/svg+xml";
    const headers = new HeaderBlock({ "Content-Type": isText ? `${type}; charset=utf-8` : type });
    this.#headers.set(type, headers);
    return headers;
  }
}
