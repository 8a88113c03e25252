import { utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const CONTENT = "0123456789abcdefghij";
const MODIFIED = new Date(Date.UTC(1994, 10, 6, 8, 49, 37));
export const DATE = "Sun, 06 Nov 1994 08:49:37 GMT";
const EARLIER = "Sun, 06 Nov 1994 08:49:36 GMT";
const LATER = "Sun, 06 Nov 1994 08:49:38 GMT";

/** Writes files of one date. */
export function write(root: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(root, name), content);
    utimesSync(join(root, name), MODIFIED, MODIFIED);
  }
}

/** Header lines of a request, the status it is to have and, where it is 206, the content. TAG stands for the file's own tag. */
export type Case = readonly [lines: readonly string[], status: number, body?: string];

/** RFC 9110 §13, and where the order matters §13.2.2. */
export const conditions: readonly Case[] = [
  [[], 200],
  [["If-None-Match: TAG"], 304],
  [["If-None-Match: W/TAG"], 304],
  [["If-None-Match: *"], 304],
  [['If-None-Match: "other"'], 200],
  [['If-None-Match: "a", TAG, "b"'], 304],
  [['If-None-Match: "a" , W/"b",, TAG'], 304],
  [['If-None-Match: "a,b", TAG'], 304],
  [['If-None-Match: "a"', "If-None-Match: TAG"], 304],
  [['If-None-Match: "a TAG"'], 200],
  [["If-None-Match: bare, TAG"], 200],
  [["If-None-Match: "], 200],
  [['If-None-Match: "'], 200],
  [['If-None-Match: "*"'], 200],
  [["If-None-Match: TAGx"], 200],
  [[`If-Modified-Since: ${DATE}`], 304],
  [[`If-Modified-Since: ${LATER}`], 304],
  [[`If-Modified-Since: ${EARLIER}`], 200],
  [["If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT"], 304],
  [["If-Modified-Since: Sun Nov  6 08:49:37 1994"], 304],
  [["If-Modified-Since: Sun Nov  6 08:49:36 1994"], 200],
  [["If-Modified-Since: 2020-01-01"], 200],
  [["If-Modified-Since: Sun, 06 Nov 2020 08:49:37 CET"], 200],
  [["If-Modified-Since: tomorrow"], 200],
  [[`If-Modified-Since: ${LATER}`, `If-Modified-Since: ${LATER}`], 200],
  [["If-None-Match: TAG", `If-Modified-Since: ${EARLIER}`], 304],
  [['If-None-Match: "other"', `If-Modified-Since: ${LATER}`], 200],
  [["If-Match: TAG"], 200],
  [["If-Match: *"], 200],
  [['If-Match: "a", TAG'], 200],
  [['If-Match: "a"', "If-Match: TAG"], 200],
  [["If-Match: W/TAG"], 412],
  [['If-Match: "other"'], 412],
  [["If-Match: nonsense"], 412],
  [[`If-Unmodified-Since: ${DATE}`], 200],
  [[`If-Unmodified-Since: ${LATER}`], 200],
  [[`If-Unmodified-Since: ${EARLIER}`], 412],
  [["If-Unmodified-Since: yesterday"], 200],
  [["If-Match: TAG", `If-Unmodified-Since: ${EARLIER}`], 200],
  [['If-Match: "other"', `If-Unmodified-Since: ${LATER}`], 412],
  [["If-Match: TAG", "If-None-Match: TAG"], 304],
  [['If-Match: "other"', "If-None-Match: TAG"], 412],
  [[`If-Unmodified-Since: ${DATE}`, `If-Modified-Since: ${DATE}`], 304],
  [[`If-Unmodified-Since: ${EARLIER}`, `If-Modified-Since: ${DATE}`], 412],
];

/** RFC 9110 §14. */
export const ranges: readonly Case[] = [
  [["Range: bytes=0-8"], 206, "012345678"],
  [["Range: bytes=0-0"], 206, "0"],
  [["Range: bytes=19-19"], 206, "j"],
  [["Range: bytes=15-"], 206, "fghij"],
  [["Range: bytes=0-"], 206, CONTENT],
  [["Range: bytes=15-99999"], 206, "fghij"],
  [["Range: bytes=0-99999999999999999999999999"], 206, CONTENT],
  [["Range: bytes=-5"], 206, "fghij"],
  [["Range: bytes=-20"], 206, CONTENT],
  [["Range: bytes=-99999"], 206, CONTENT],
  [["Range: BYTES=1-2"], 206, "12"],
  [["Range: bytes= 1-2 "], 206, "12"],
  [["Range: bytes=,1-2,"], 206, "12"],
  [["Range: bytes=20-"], 416],
  [["Range: bytes=20-30"], 416],
  [["Range: bytes=99999999999999999999999-"], 416],
  [["Range: bytes=-0"], 416],
  [["Range: bytes=5-2"], 200],
  [["Range: bytes=-"], 200],
  [["Range: bytes="], 200],
  [["Range: bytes"], 200],
  [["Range: 0-5"], 200],
  [["Range: bytes=a-b"], 200],
  [["Range: bytes=0x1-5"], 200],
  [["Range: bytes=1.5-5"], 200],
  [["Range: bytes=+1-5"], 200],
  [["Range: bytes=1-2-3"], 200],
  [["Range: bytes=1 - 2"], 200],
  [["Range: bytes=--5"], 200],
  [["Range: lines=0-5"], 200],
  [["Range: bytes=0-1,3-4"], 200],
  [["Range: bytes=0-1", "Range: bytes=3-4"], 200],
  [["Range: bytes=0-1", "If-Range: TAG"], 206, "01"],
  [["Range: bytes=0-1", "If-Range: W/TAG"], 200],
  [["Range: bytes=0-1", 'If-Range: "other"'], 200],
  [["Range: bytes=0-1", "If-Range: *"], 200],
  [["Range: bytes=0-1", `If-Range: ${DATE}`], 206, "01"],
  [["Range: bytes=0-1", `If-Range: ${LATER}`], 200],
  [["Range: bytes=0-1", `If-Range: ${EARLIER}`], 200],
  [["Range: bytes=0-1", "If-Range: Sun Nov  6 08:49:37 1994"], 206, "01"],
  [["Range: bytes=99-", 'If-Range: "other"'], 200],
  [["If-Range: TAG"], 200],
  [["Range: bytes=0-1", "If-None-Match: TAG"], 304],
  [["Range: bytes=99-", "If-None-Match: TAG"], 304],
  [["Range: bytes=0-1", 'If-Match: "other"'], 412],
  [["Range: bytes=0-1", "If-Match: TAG"], 206, "01"],
];

/** RFC 9110 §12.5.3. What is sent where `.br` and `.gz` exist, and where only `.gz` does. */
export const acceptEncodings: readonly (readonly [field: string | null, both: string, gzipOnly: string])[] = [
  [null, "identity", "identity"],
  ["", "identity", "identity"],
  ["gzip, deflate, br, zstd", "br", "gzip"],
  ["gzip", "gzip", "gzip"],
  ["GZIP", "gzip", "gzip"],
  ["br", "br", "identity"],
  ["deflate", "identity", "identity"],
  ["*", "br", "gzip"],
  ["*;q=0", "identity", "identity"],
  ["br;q=0, *", "gzip", "gzip"],
  ["gzip;q=0, *;q=0.5", "br", "identity"],
  ["br;q=0.5, gzip;q=0.8", "gzip", "gzip"],
  ["br;q=0.8, gzip;q=0.8", "br", "gzip"],
  ["gzip;q=0", "identity", "identity"],
  ["gzip; q=0.000", "identity", "identity"],
  ["gzip;q=0.001", "gzip", "gzip"],
  ["identity, gzip;q=0.5", "identity", "identity"],
  ["identity;q=0.5, gzip;q=1", "gzip", "gzip"],
  ["identity;q=0, gzip;q=0.1", "gzip", "gzip"],
  ["identity;q=0", "identity", "identity"],
  ["identity;q=0, *;q=0", "identity", "identity"],
  ["gzip;q=nonsense", "identity", "identity"],
  [",, ;;=", "identity", "identity"],
];
