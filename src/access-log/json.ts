import { AddressTexts } from "./address.js";
import { Escapes, isPlainAscii, put, putNumber } from "./bytes.js";
import type { LineFormat } from "./line.js";

/**
 * One JSON object a line, in ASCII: what is not is written `\uhhhh`, so that no reader takes U+0085 or U+2028 for the end of a line.
 * Texts of a client are read as UTF-8.
 */
export function jsonFormat(): LineFormat {
  const address = new AddressTexts();
  const time = new TimeBytes();
  return {
    isTimed: true,
    write(record, startedAtMs, out, start) {
      const { bytes } = record;
      let at = time.put(startedAtMs, out, start);
      at = put(out, at, keys.remoteAddress);
      at = put(out, at, address.of(bytes, record.address, record.method));
      at = put(out, at, keys.method);
      at = putText(bytes, record.method, record.url, out, at);
      at = put(out, at, keys.url);
      at = putText(bytes, record.url, record.referrer, out, at);
      at = put(out, at, keys.status);
      at = putNumber(out, at, record.status);
      at = put(out, at, keys.bodyBytes);
      at = putNumber(out, at, record.bodyBytes);
      at = put(out, at, keys.durationMs);
      const micros = Math.round(record.durationMs * 1000);
      at = putNumber(out, at, Math.floor(micros / 1000));
      out[at++] = POINT;
      at = putNumber(out, at, micros % 1000, 3);
      at = put(out, at, keys.referrer);
      at = putField(bytes, record.referrer, record.userAgent, out, at);
      at = put(out, at, keys.userAgent);
      at = putField(bytes, record.userAgent, record.end, out, at);
      if (record.aborted) at = put(out, at, ABORTED);
      if (record.urlCut) at = put(out, at, URL_CUT);
      if (record.referrerCut) at = put(out, at, REFERRER_CUT);
      if (record.userAgentCut) at = put(out, at, USER_AGENT_CUT);
      return put(out, at, LINE_END);
    },
  };
}

const POINT = 0x2e;
const keys = {
  remoteAddress: Buffer.from('Z","remoteAddress":"'),
  method: Buffer.from('","method":"'),
  url: Buffer.from('","url":"'),
  status: Buffer.from('","status":'),
  bodyBytes: Buffer.from(',"bodyBytes":'),
  durationMs: Buffer.from(',"durationMs":'),
  referrer: Buffer.from(',"referrer":'),
  userAgent: Buffer.from(',"userAgent":'),
} as const;
const ABORTED = Buffer.from(',"aborted":true');
const URL_CUT = Buffer.from(',"urlCut":true');
const REFERRER_CUT = Buffer.from(',"referrerCut":true');
const USER_AGENT_CUT = Buffer.from(',"userAgentCut":true');
const LINE_END = Buffer.from("}\n");
const NULL = Buffer.from("null");
const QUOTE = 0x22;

const unit = (code: number): string => `\\u${code.toString(16).padStart(4, "0")}`;
const escapes = new Escapes((byte) => {
  if (byte === 0x22 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`;
  return isPlainAscii(byte) ? undefined : unit(byte);
});

/** What was not sent is null. */
function putField(bytes: Buffer, from: number, to: number, out: Buffer, start: number): number {
  if (from === to) return put(out, start, NULL);
  out[start] = QUOTE;
  const at = putText(bytes, from, to, out, start + 1);
  out[at] = QUOTE;
  return at + 1;
}

function putText(bytes: Buffer, from: number, to: number, out: Buffer, at: number): number {
  for (let i = from; i < to; i++) if (bytes[i]! > 0x7f) return putUnicode(bytes, from, to, out, at);
  return escapes.put(bytes, from, to, out, at);
}

function putUnicode(bytes: Buffer, from: number, to: number, out: Buffer, start: number): number {
  const text = bytes.toString("utf8", from, to);
  const single = Buffer.alloc(1);
  let at = start;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    single[0] = code;
    at = code > 0x7f ? at + out.write(unit(code), at) : escapes.put(single, 0, 1, out, at);
  }
  return at;
}

/** `{"time":"2000-10-10T20:55:36.000`, all but the milliseconds made once for all records of a second. */
class TimeBytes {
  #second = Number.NaN;
  #bytes: Uint8Array = Buffer.alloc(0);

  put(epochMs: number, out: Uint8Array, at: number): number {
    const second = Math.floor(epochMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#bytes = Buffer.from(`{"time":"${new Date(second * 1000).toISOString().slice(0, -4)}`);
    }
    return putNumber(out, put(out, at, this.#bytes), Math.floor(epochMs) - second * 1000, 3);
  }
}
