import { threadClock } from "../shared/clock.js";
import type { LogConfig } from "../shared/config.js";
import type { RecordRing } from "../shared/memory/record-ring.js";
import { Sleeper } from "../shared/memory/sleeper.js";
import { Counter, type ThreadStats } from "../shared/stats/stats.js";
import { openLogFile } from "./file.js";
import { attachLogRing, createLogMemory, type LogStartup, LogWords, Stall } from "./memory.js";
import { type LogEntry, writeRecord } from "./record.js";

/** In "block": how long main waits for room while nothing of the log moves. After that it drops, until there is room again. */
const BLOCK_LIMIT_MS = 5000;

/** The main thread's side of the access log: its only producer. */
export class AccessLog {
  /** The clock of the entries, ms. */
  readonly nowMs = threadClock();
  /** For the background thread. */
  readonly startup: LogStartup;
  readonly #isTimed: boolean;
  readonly #blocks: boolean;
  readonly #ring: RecordRing;
  readonly #words: LogWords;
  readonly #sleeper: Sleeper;
  readonly #stats: ThreadStats;
  readonly #blockLimitMs: number;
  /** Written into the ring. */
  #records = 0;
  /** Since the background thread was last told that it should not sleep on. */
  #unannouncedBytes = 0;
  #hasWriter = true;
  /** It waited in vain for room, and there has been none since. */
  #gaveUp = false;

  /** Opens the log. Throws a LoopoolError when that is not possible. `sleeper` is where the background thread sleeps. */
  static open(config: LogConfig, sleeper: SharedArrayBuffer, stats: ThreadStats): AccessLog {
    return new AccessLog({ config, memory: createLogMemory(), fd: openLogFile(config.file) }, sleeper, stats);
  }

  /** `stats` is the main thread's slot. */
  constructor(startup: LogStartup, sleeper: SharedArrayBuffer, stats: ThreadStats, blockLimitMs = BLOCK_LIMIT_MS) {
    this.startup = startup;
    this.#isTimed = startup.config.format === "json";
    this.#blocks = startup.config.overflow === "block";
    this.#ring = attachLogRing(startup.memory);
    this.#words = new LogWords(startup.memory);
    this.#sleeper = new Sleeper(sleeper);
    this.#stats = stats;
    this.#blockLimitMs = blockLimitMs;
  }

  /** Takes a request that has been answered or given up. */
  add(entry: LogEntry): void {
    const durationMs = this.#isTimed ? this.nowMs() - entry.startMs : 0;
    if (this.#write(entry, durationMs) || (this.#blocks && this.#writeLater(entry, durationMs))) {
      this.#gaveUp = false;
      return;
    }
    this.#stats.add(Counter.logDropped, 1);
  }

  #write(entry: LogEntry, durationMs: number): boolean {
    const bytes = this.#hasWriter ? writeRecord(this.#ring, entry, durationMs) : 0;
    if (bytes === 0) {
      this.#hurry();
      return false;
    }
    this.#records++;
    this.#unannouncedBytes += bytes;
    if (this.#unannouncedBytes > this.#ring.capacityBytes / 2) this.#hurry();
    else this.#sleeper.wake();
    return true;
  }

  /** The ring is filling: the writer should not sleep out its time, unless it sleeps because it cannot write. */
  #hurry(): void {
    this.#unannouncedBytes = 0;
    if (this.#words.stalled === Stall.none) this.#sleeper.wakeUrgently();
  }

  /** Waits for room; false when there is no hope of it. The count is read before each try: see LogWords. */
  #writeLater(entry: LogEntry, durationMs: number): boolean {
    while (this.#hasWriter && !this.#gaveUp) {
      const seen = this.#words.freed;
      if (this.#write(entry, durationMs)) return true;
      if (this.#words.stalled === Stall.failure) return false;
      this.#gaveUp = !this.#words.waitFreed(seen, this.#blockLimitMs);
    }
    return false;
  }

  /** The file was renamed: asks for a new one of its name. */
  reopen(): void {
    this.#words.countReopen();
    this.#sleeper.wakeUrgently();
  }

  /**
   * The background thread has ended: what it has not written is lost, and whatever comes is dropped. `written`: lines that it wrote.
   * Returns the number that was lost.
   */
  writerEnded(written: number): number {
    const lost = this.#hasWriter ? this.#records - written : 0;
    this.#hasWriter = false;
    this.#stats.add(Counter.logDropped, lost);
    return lost;
  }
}
