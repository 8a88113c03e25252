import type { LogRecord } from "./record.js";

/** Puts a record into words. */
export interface LineFormat {
  /** Whether it shows how long a request took: two looks at the clock instead of one. */
  readonly isTimed: boolean;
  /**
   * Writes the line, with its line feed, into `out` at `at`, where there is room for MAX_LINE_BYTES, and returns where it ends.
   * `startedAtMs`: when the request came in, since 1970. All that comes from a client is escaped: a line is printable ASCII.
   */
  write(record: LogRecord, startedAtMs: number, out: Buffer, at: number): number;
}

/** Longer than any line: each byte of a record takes six at most, as `\u00e4` does in JSON. */
export const MAX_LINE_BYTES = 32 * 1024;
