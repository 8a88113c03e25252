import { AddressTexts } from "./address.js";
import type { LineFormat } from "./line.js";

/**
 * The Combined Log Format: Apache's `%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"`, the names of identd and of a user
 * always "-". Escaped as Apache does it (`ap_escape_logitem` of server/util.c): `\"`, `\\`, `\n` and its like, `\xhh` for what is not printable ASCII.
 * A text that was cut ends with `\...`, which nothing that a client sends can look like: its backslashes are doubled.
 */
export function combinedFormat(): LineFormat {
  const addresses = new AddressTexts();
  const times = new TimeTexts();
  return {
    isTimed: false,
    write(record, startedAtMs, out, start) {
      const { bytes } = record;
      const address = addresses.of(bytes, record.address, record.method);
      let at = put(out, start, `${address} - - ${times.of(startedAtMs)} "`);
      at = putEscaped(bytes, record.method, record.referrer, out, at);
      out[at++] = SPACE;
      at = putEscaped(bytes, record.url, record.end, out, at);
      if (record.urlCut) at = put(out, at, CUT);
      at = put(out, at, ` HTTP/1.1" ${record.status} ${record.bodyBytes === 0 ? "-" : record.bodyBytes} "`);
      at = field(bytes, record.referrer, record.userAgent, record.referrerCut, out, at);
      at = put(out, at, '" "');
      at = field(bytes, record.userAgent, record.url, record.userAgentCut, out, at);
      out[at++] = QUOTE;
      out[at++] = LINE_FEED;
      return at;
    },
  };
}

const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LINE_FEED = 0x0a;
const MINUS = 0x2d;
const CUT = "\\...";

function field(bytes: Uint8Array, from: number, to: number, isCut: boolean, out: Buffer, at: number): number {
  if (from === to) {
    out[at] = MINUS;
    return at + 1;
  }
  const end = putEscaped(bytes, from, to, out, at);
  return isCut ? put(out, end, CUT) : end;
}

/** Short ASCII that is ours: a call into C++ costs more than this. */
function put(out: Buffer, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) out[at + i] = text.charCodeAt(i);
  return at + text.length;
}

/** By byte: how it is written, where not as it is. */
const escapes: readonly (string | undefined)[] = Array.from({ length: 256 }, (_, byte) => {
  const short = { 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 13: "\\r", [QUOTE]: '\\"', [BACKSLASH]: "\\\\" }[byte];
  const isPrintable = byte >= SPACE && byte < 0x7f;
  return short ?? (isPrintable ? undefined : `\\x${byte.toString(16).padStart(2, "0")}`);
});
const isPlain = Uint8Array.from(escapes, (escaped) => (escaped === undefined ? 1 : 0));

function putEscaped(bytes: Uint8Array, from: number, to: number, out: Buffer, start: number): number {
  let at = start;
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!;
    if (isPlain[byte] === 1) out[at++] = byte;
    else at = put(out, at, escapes[byte]!);
  }
  return at;
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `[10/Oct/2000:13:55:36 -0700]`, in local time; made once for all records of a second. */
class TimeTexts {
  #second = Number.NaN;
  #text = "";

  of(epochMs: number): string {
    const second = Math.floor(epochMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = timeText(new Date(second * 1000));
    }
    return this.#text;
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
