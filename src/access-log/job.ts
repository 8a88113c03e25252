import { writeSync } from "node:fs";
import { threadClock } from "../shared/clock.js";
import { messageOf } from "../shared/errors.js";
import type { Job, Rest } from "../shared/job.js";
import type { RecordRing } from "../shared/memory/record-ring.js";
import { Counter, ThreadStats } from "../shared/stats/stats.js";
import { combinedFormat } from "./combined.js";
import { DropReporter } from "./drops.js";
import { type LogFile, logFile } from "./file.js";
import { jsonFormat } from "./json.js";
import { type LineFormat, MAX_LINE_BYTES } from "./line.js";
import { attachLogRing, type LogMemory, type LogStartup, LogWords, Stall } from "./memory.js";
import { LogRecord } from "./record.js";

/** After records it sleeps this long, so that the next write has many lines: nobody reads a log faster. */
const GATHER_MS = 20;
/** One write takes this much at most. */
const BATCH_BYTES = 256 * 1024;
/** Batches of one run: other jobs want their turn. */
const MAX_BATCHES = 16;
/** A pipe that is full is tried again after this, doubled each time it still is, up to a second; writing that failed after a second. */
const FIRST_RETRY_MS = 5;
const LAST_RETRY_MS = 1000;
/** At the end: how long a reader that takes nothing is waited for. */
const FINISH_PATIENCE_MS = 2000;
/** The wall clock is followed when it is off by more than its own resolution twice. */
const CLOCK_SLACK_MS = 2;

/** What differs in tests. */
export interface LogSurroundings {
  readonly file: LogFile;
  /** The clock of the records, ms. */
  readonly nowMs: () => number;
  /** Says something to whoever runs the server, in one line. */
  readonly tell: (text: string) => void;
  readonly pause: (ms: number) => void;
}

/**
 * The background thread's side of the access log: records become lines, lines batches, a batch one write. What cannot be written now
 * is kept and tried again, from the byte where it stopped: the ring fills behind it, and main decides what becomes of the rest.
 */
export class LogJob implements Job {
  readonly #ring: RecordRing;
  readonly #words: LogWords;
  readonly #record: LogRecord;
  readonly #format: LineFormat;
  readonly #stats: ThreadStats;
  readonly #main: ThreadStats;
  readonly #around: LogSurroundings;
  readonly #drops = new DropReporter();
  readonly #batch = Buffer.allocUnsafeSlow(BATCH_BYTES);
  /** Of the batch: where it ends, what of it is written, its lines. */
  #endAt = 0;
  #writtenTo = 0;
  #lines = 0;
  #retryMs = FIRST_RETRY_MS;
  #retryAtMs = 0;
  #reopened: number;
  /** What is to be added to the records' clock, ms. */
  #epochMs = Number.NaN;

  /** `stats` is this thread's own slot, `main` the slot of the main thread, which counts what it drops. */
  constructor(
    memory: LogMemory,
    format: LineFormat,
    slots: { readonly stats: ThreadStats; readonly main: ThreadStats },
    around: LogSurroundings,
  ) {
    this.#ring = attachLogRing(memory);
    this.#words = new LogWords(memory);
    this.#reopened = this.#words.reopen;
    this.#record = new LogRecord(this.#ring);
    this.#format = format;
    this.#stats = slots.stats;
    this.#main = slots.main;
    this.#around = around;
  }

  /** In the background thread. */
  static attach({ config, memory, fd }: LogStartup, shared: { stats: SharedArrayBuffer; slot: number }): LogJob {
    const stats = new ThreadStats(shared.stats, shared.slot);
    const main = new ThreadStats(shared.stats, 0);
    return new LogJob(
      memory,
      lineFormats[config.format](),
      { stats, main },
      {
        file: logFile(config.file, fd),
        nowMs: threadClock(),
        tell: tellStandardError,
        pause,
      },
    );
  }

  run(): Rest {
    const nowMs = this.#around.nowMs();
    const isReopening = this.#words.reopen !== this.#reopened;
    let moved = nowMs >= this.#retryAtMs || isReopening ? this.#move(nowMs) : 0;
    if (isReopening) {
      this.#reopen();
      moved += this.#move(nowMs);
    }
    this.#tellDrops(this.#drops.look(this.#main.get(Counter.logDropped), nowMs));
    if (this.#hasBatch) return { afterMs: Math.max(0, this.#retryAtMs - nowMs), isLight: false };
    if (moved >= MAX_BATCHES) return { afterMs: 0, isLight: true };
    return moved > 0 ? { afterMs: GATHER_MS, isLight: false } : { afterMs: this.#drops.restMs, isLight: true };
  }

  isDue({ isLight }: Rest): boolean {
    return this.#words.reopen !== this.#reopened || (isLight && this.#ring.peek() !== -1);
  }

  finish(): void {
    const { nowMs, pause, file } = this.#around;
    let patientUntilMs = nowMs() + FINISH_PATIENCE_MS;
    for (;;) {
      const before = this.#writtenTo;
      const moved = this.#move(nowMs());
      if (this.#hasBatch) {
        if (this.#words.stalled === Stall.failure) break;
        if (moved > 0 || this.#writtenTo !== before) patientUntilMs = nowMs() + FINISH_PATIENCE_MS;
        if (nowMs() > patientUntilMs) break;
        pause(FIRST_RETRY_MS);
      } else if (moved === 0) {
        break;
      }
    }
    this.#stats.add(Counter.logLines, linesIn(this.#batch, this.#writtenTo));
    this.#tellDrops(this.#drops.take(this.#main.get(Counter.logDropped)));
    file.close();
  }

  get #hasBatch(): boolean {
    return this.#endAt > 0;
  }

  /** Writes batches until nothing is left or a write stops; returns how many were begun. */
  #move(nowMs: number): number {
    if (this.#hasBatch && !this.#write(nowMs)) return 0;
    let batches = 0;
    while (batches < MAX_BATCHES && this.#fill(nowMs)) {
      batches++;
      if (!this.#write(nowMs)) break;
    }
    return batches;
  }

  /** Puts records into words until the batch is full; false when there are none. */
  #fill(nowMs: number): boolean {
    const ring = this.#ring;
    const epochMs = Date.now() - nowMs;
    if (!(Math.abs(epochMs - this.#epochMs) <= CLOCK_SLACK_MS)) this.#epochMs = epochMs;
    for (let offset = ring.peek(); offset !== -1; offset = ring.peek()) {
      if (this.#endAt + MAX_LINE_BYTES > BATCH_BYTES) break;
      this.#record.read(ring, offset);
      this.#endAt = this.#format.write(this.#record, this.#record.startMs + this.#epochMs, this.#batch, this.#endAt);
      this.#lines++;
      ring.release();
    }
    if (this.#lines === 0) return false;
    this.#words.countFreed();
    return true;
  }

  /** Writes what is left of the batch; false when that is not possible now. */
  #write(nowMs: number): boolean {
    try {
      while (this.#writtenTo < this.#endAt) {
        this.#writtenTo += this.#around.file.write(this.#batch, this.#writtenTo, this.#endAt);
        this.#retryMs = FIRST_RETRY_MS;
      }
    } catch (error) {
      this.#stall(error as NodeJS.ErrnoException, nowMs);
      return false;
    }
    this.#stats.add(Counter.logLines, this.#lines);
    this.#endAt = 0;
    this.#writtenTo = 0;
    this.#lines = 0;
    if (this.#words.stalled === Stall.failure) this.#around.tell("the access log is written again");
    this.#retryAtMs = 0;
    if (this.#words.stalled !== Stall.none) this.#words.stalled = Stall.none;
    return true;
  }

  #stall(error: NodeJS.ErrnoException, nowMs: number): void {
    if (error.code === "EAGAIN") {
      this.#retryAtMs = nowMs + this.#retryMs;
      this.#retryMs = Math.min(2 * this.#retryMs, LAST_RETRY_MS);
      if (this.#words.stalled === Stall.none) this.#words.stalled = Stall.reader;
      return;
    }
    this.#retryAtMs = nowMs + LAST_RETRY_MS;
    this.#stats.add(Counter.logFailures, 1);
    if (this.#words.stalled === Stall.failure) return;
    this.#words.stalled = Stall.failure;
    this.#words.countFreed();
    this.#around.tell(`the access log cannot be written, and is tried each second: ${messageOf(error)}`);
  }

  /** What the old file has of a line that stopped in the middle is no line: it goes whole into the new one. */
  #reopen(): void {
    this.#reopened = this.#words.reopen;
    try {
      this.#around.file.reopen();
    } catch (error) {
      this.#around.tell(`the access log goes on in the file it has: ${messageOf(error)}`);
      return;
    }
    const lineStart = this.#writtenTo === 0 ? 0 : this.#batch.lastIndexOf(0x0a, this.#writtenTo - 1) + 1;
    this.#writtenTo = lineStart;
  }

  #tellDrops(count: number): void {
    if (count === 0) return;
    this.#around.tell(
      `${count} lines of the access log were dropped: it is not written as fast as requests are answered`,
    );
  }
}

/** By the words of `--log-format`. */
export const lineFormats = { combined: combinedFormat, json: jsonFormat } as const;

function linesIn(bytes: Uint8Array, end: number): number {
  let lines = 0;
  for (let i = 0; i < end; i++) if (bytes[i] === 0x0a) lines++;
  return lines;
}

/** Past Node's own stream, which would need the main thread; whoever reads neither standard error nor the log is not told. */
function tellStandardError(text: string): void {
  try {
    writeSync(2, `loopool: ${text}\n`);
  } catch {}
}

const nobody = new Int32Array(new SharedArrayBuffer(4));

function pause(ms: number): void {
  Atomics.wait(nobody, 0, 0, ms);
}
