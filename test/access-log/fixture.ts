import { AccessLog } from "../../src/access-log/access-log.js";
import type { LogFile } from "../../src/access-log/file.js";
import { LogJob, lineFormats } from "../../src/access-log/job.js";
import { createLogMemory } from "../../src/access-log/memory.js";
import type { LogEntry } from "../../src/access-log/record.js";
import { createSleeper } from "../../src/background/background.js";
import type { LogConfig } from "../../src/shared/config.js";
import { Counter, statsBytes, ThreadStats } from "../../src/shared/stats/stats.js";

/** A request as the adapter would hand it over. */
export function entry(of: Partial<LogEntry> = {}): LogEntry {
  return {
    startMs: 0,
    address: Uint8Array.of(192, 0, 2, 1),
    isHttp10: false,
    method: "GET",
    path: "/",
    query: undefined,
    referrer: "",
    userAgent: "",
    status: 200,
    bodyBytes: 5,
    aborted: false,
    ...of,
  };
}

export function failure(code: string): Error {
  return Object.assign(new Error(`${code}: as a test wants it`), { code });
}

/** A disk that does what it is told. */
export class FakeFile implements LogFile {
  /** What stands in the files, the last is the one that is open. */
  readonly files: string[] = [""];
  /** Bytes of each write that succeeded. */
  readonly writes: number[] = [];
  closed = false;
  /** Thrown by each write, after `roomBytes` more were taken. */
  failing: Error | null = null;
  roomBytes = 0;
  refusesReopen: Error | null = null;

  write(bytes: Uint8Array, from: number, to: number): number {
    const count = this.failing === null ? to - from : Math.min(this.roomBytes, to - from);
    if (count === 0) throw this.failing;
    if (this.failing !== null) this.roomBytes -= count;
    this.files[this.files.length - 1] += Buffer.from(bytes.subarray(from, from + count)).toString("latin1");
    this.writes.push(count);
    return count;
  }

  reopen(): void {
    if (this.refusesReopen !== null) throw this.refusesReopen;
    this.files.push("");
  }

  close(): void {
    this.closed = true;
  }

  get lines(): readonly string[] {
    return this.files.join("").split("\n").slice(0, -1);
  }
}

/** Both sides of a log in one thread, on a time of their own. */
export function bothSides(config: Partial<LogConfig> = {}) {
  const whole: LogConfig = { file: null, format: "combined", overflow: "drop", ...config };
  const segment = new SharedArrayBuffer(statsBytes(2));
  const main = new ThreadStats(segment, 0);
  const background = new ThreadStats(segment, 1);
  const memory = createLogMemory();
  const file = new FakeFile();
  const reported: string[] = [];
  const clock = { ms: 0 };
  const pause = (ms: number): void => {
    clock.ms += ms;
  };
  const job = new LogJob(
    memory,
    lineFormats[whole.format](),
    { stats: background, main },
    { file, nowMs: () => clock.ms, tell: (text) => reported.push(text), pause },
  );
  const log = new AccessLog({ config: whole, memory, fd: -1 }, createSleeper(), main, 20);
  const figures = () => ({
    lines: background.get(Counter.logLines),
    dropped: main.get(Counter.logDropped),
    failures: background.get(Counter.logFailures),
  });
  return { log, job, file, reported, clock, memory, figures };
}
