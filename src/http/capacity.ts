import { readdirSync } from "node:fs";
import { LoopoolError, usageError } from "../shared/errors.js";
import { openFilesLimit } from "../shared/process-limits.js";

/** Descriptors that are kept for files being read, more workers and a log opened anew: a part of those there are, within bounds. */
const RESERVE = { part: 1 / 8, min: 8, max: 256 } as const;

/**
 * What may be open at once: connections, and the files that are streamed to them. A listening socket whose process has no descriptor left
 * stays readable, and an event loop that waits for it spins until one is free: so that must never come about.
 */
export class Capacity {
  readonly maxConnections: number;
  /** Descriptors for connections and streamed files together. */
  readonly #descriptors: number;
  readonly #reserve: number;
  #connections = 0;
  #files = 0;

  /**
   * Call when all that the server itself needs is open. `maxConnections` null: as many as there is room for. Throws a usage error where
   * there is none for as many as are asked for.
   */
  constructor(maxConnections: number | null, files: OpenFiles | null = openFiles()) {
    if (files === null) {
      this.#reserve = 0;
      this.#descriptors = Number.POSITIVE_INFINITY;
      this.maxConnections = maxConnections ?? Number.POSITIVE_INFINITY;
      return;
    }
    const { limit, open } = files;
    this.#reserve = Math.ceil(Math.min(Math.max(limit * RESERVE.part, RESERVE.min), RESERVE.max));
    this.#descriptors = limit - open - this.#reserve;
    if (this.#descriptors < 1) {
      throw new LoopoolError("TOO_FEW_FILES", `${limit} open files are too few: run "ulimit -n ${limit + 100}" first`);
    }
    if (maxConnections !== null && maxConnections > this.#descriptors) {
      throw usageError(
        `--max-connections ${maxConnections} needs ${maxConnections + open + this.#reserve} open files, ${limit} are allowed: ` +
          `run "ulimit -n ${maxConnections + open + this.#reserve}" first, or ask for ${this.#descriptors} or fewer`,
      );
    }
    this.maxConnections = maxConnections ?? this.#descriptors;
  }

  /** A connection was opened: false when it is one too many, and to be closed at once. */
  connect(): boolean {
    this.#connections++;
    return this.#connections <= this.maxConnections && this.#connections + this.#files <= this.#descriptors;
  }

  /** One was closed. */
  disconnect(): void {
    this.#connections--;
  }

  /** A file is to be streamed; half of the reserve is for them too. False: there is no descriptor for it. */
  openFile(): boolean {
    if (this.#connections + this.#files >= this.#descriptors + this.#reserve / 2) return false;
    this.#files++;
    return true;
  }

  closeFile(): void {
    this.#files--;
  }
}

/** What a process may have open, and has. */
export interface OpenFiles {
  readonly limit: number;
  readonly open: number;
}

/** null where the system does not say (it does on Linux). */
function openFiles(): OpenFiles | null {
  const limit = openFilesLimit();
  if (limit === null) return null;
  try {
    return { limit, open: readdirSync("/proc/self/fd").length };
  } catch {
    return null;
  }
}
