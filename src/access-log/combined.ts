import { AddressTexts } from "./address.js";
import { Escapes, isPlainAscii, put, putNumber } from "./bytes.js";
import type { LineFormat } from "./line.js";

/**
 * The Combined Log Format: Apache's `%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"`, the names of identd and of a user
 * always "-". Escaped as Apache does it (`ap_escape_logitem` of server/util.c): `\"`, `\\`, `\n` and its like, `\xhh` for what is not printable ASCII.
 * A text that was cut ends with `\...`, which nothing that a client sends can look like: its backslashes are doubled.
 */
export function combinedFormat(): LineFormat {
  const address = new AddressTexts();
  const time = new TimeBytes();
  return {
    isTimed: false,
    write(record, startedAtMs, out, start) {
      const { bytes } = record;
      let at = put(out, start, address.of(bytes, record.address, record.method));
      at = put(out, at, time.of(startedAtMs));
      at = escapes.put(bytes, record.method, record.url, out, at);
      out[at++] = SPACE;
      at = escapes.put(bytes, record.url, record.referrer, out, at);
      if (record.urlCut) at = put(out, at, CUT);
      at = put(out, at, record.isHttp10 ? HTTP_1_0 : HTTP_1_1);
      at = putNumber(out, at, record.status);
      out[at++] = SPACE;
      if (record.bodyBytes === 0) out[at++] = MINUS;
      else at = putNumber(out, at, record.bodyBytes);
      at = put(out, at, QUOTE_AFTER_SPACE);
      at = putField(bytes, record.referrer, record.userAgent, record.referrerCut, out, at);
      at = put(out, at, NEXT_QUOTE);
      at = putField(bytes, record.userAgent, record.end, record.userAgentCut, out, at);
      return put(out, at, LINE_END);
    },
  };
}

const SPACE = 0x20;
const MINUS = 0x2d;
const CUT = Buffer.from("\\...");
const HTTP_1_0 = Buffer.from(' HTTP/1.0" ');
const HTTP_1_1 = Buffer.from(' HTTP/1.1" ');
const QUOTE_AFTER_SPACE = Buffer.from(' "');
const NEXT_QUOTE = Buffer.from('" "');
const LINE_END = Buffer.from('"\n');

function putField(bytes: Uint8Array, from: number, to: number, isCut: boolean, out: Uint8Array, at: number): number {
  if (from === to) {
    out[at] = MINUS;
    return at + 1;
  }
  const end = escapes.put(bytes, from, to, out, at);
  return isCut ? put(out, end, CUT) : end;
}

const shortEscapes: Readonly<Record<number, string>> = {
  8: "\\b",
  9: "\\t",
  10: "\\n",
  11: "\\v",
  13: "\\r",
  34: '\\"',
  92: "\\\\",
};
const escapes = new Escapes((byte) =>
  isPlainAscii(byte) ? undefined : (shortEscapes[byte] ?? `\\x${byte.toString(16).padStart(2, "0")}`),
);

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** ` - - [10/Oct/2000:13:55:36 -0700] "`, in local time: made once for all records of a second. */
class TimeBytes {
  #second = Number.NaN;
  #bytes = new Uint8Array(0);

  of(epochMs: number): Uint8Array {
    const second = Math.floor(epochMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#bytes = Buffer.from(` - - ${timeText(new Date(second * 1000))} "`);
    }
    return this.#bytes;
  }
}

function timeText(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${two(date.getDate())}/${months[date.getMonth()]}/${date.getFullYear()}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  // Minutes that are to be added to local time to get UTC.
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? "-" : "+"}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
  return `[${day}:${time} ${zone}]`;
}
