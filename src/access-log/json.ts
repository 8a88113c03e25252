import { AddressTexts } from "./address.js";
import type { LineFormat } from "./line.js";

/**
 * One JSON object a line, in ASCII: what is not is written `\uhhhh`, so that no reader takes U+0085 or U+2028 for the end of a line.
 * Header fields are read as UTF-8.
 */
export function jsonFormat(): LineFormat {
  const addresses = new AddressTexts();
  return {
    isTimed: true,
    write(record, startedAtMs, out, at) {
      const { bytes } = record;
      const cut = [
        ...(record.urlCut ? ["url"] : []),
        ...(record.referrerCut ? ["referrer"] : []),
        ...(record.userAgentCut ? ["userAgent"] : []),
      ];
      const line = JSON.stringify({
        time: new Date(startedAtMs).toISOString(),
        remoteAddress: addresses.of(bytes, record.address, record.method),
        method: bytes.toString("latin1", record.method, record.referrer),
        url: bytes.toString("utf8", record.url, record.end),
        status: record.status,
        bodyBytes: record.bodyBytes,
        durationMs: Math.round(record.durationMs * 1000) / 1000,
        referrer:
          record.referrer === record.userAgent ? null : bytes.toString("utf8", record.referrer, record.userAgent),
        userAgent: record.userAgent === record.url ? null : bytes.toString("utf8", record.userAgent, record.url),
        ...(record.aborted ? { aborted: true } : {}),
        ...(cut.length > 0 ? { cut } : {}),
      });
      const ascii = line.replace(
        /[\u007f-\uffff]/g,
        (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
      );
      const end = at + out.write(ascii, at, "latin1");
      out[end] = 0x0a;
      return end + 1;
    },
  };
}
