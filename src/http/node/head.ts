import type { IncomingMessage } from "node:http";

/** RFC 9112 §3.2.2: a server must take the absolute form, too. */
const ABSOLUTE = /^https?:\/\/([^/?]*)/i;
// biome-ignore lint/suspicious/noControlCharactersInRegex: all that is not ASCII
const NOT_ASCII = /[^\x00-\x7f]/;

/** Node gives a character for each byte; the other adapter, and the access log, have UTF-8. */
export function textOf(raw: string): string {
  return NOT_ASCII.test(raw) ? Buffer.from(raw, "latin1").toString() : raw;
}

/** A request target as it arrived. */
export interface Target {
  /** Of the absolute form; null in any other. */
  readonly authority: string | null;
  readonly path: string;
  /** undefined without a `?`. */
  readonly query: string | undefined;
}

export function targetOf(raw: string): Target {
  let target = textOf(raw);
  let authority: string | null = null;
  if (!target.startsWith("/")) {
    const absolute = ABSOLUTE.exec(target);
    if (absolute !== null) {
      authority = absolute[1]!;
      const rest = target.slice(absolute[0].length);
      target = rest.startsWith("/") ? rest : `/${rest}`;
    }
  }
  const mark = target.indexOf("?");
  if (mark === -1) return { authority, path: target, query: undefined };
  return { authority, path: target.slice(0, mark), query: target.slice(mark + 1) };
}

/** What Node's sockets have of its parser, though not in its documentation. */
interface Parsed {
  readonly parser?: { getCurrentBuffer?(): Buffer | undefined } | null;
}

/**
 * Whether what Node reports as HTTP/1.0 is RTSP/1.0 (RFC 2326), which its parser takes for the same and does not tell apart. Only the bytes
 * that it is reading do: so this must be called in the event of the request, and is false where the request line came in an earlier packet.
 */
export function isRtsp(request: IncomingMessage): boolean {
  const bytes = (request.socket as Parsed).parser?.getCurrentBuffer?.();
  const has = (protocol: string) => bytes?.includes(` ${request.url} ${protocol}/1.0\r\n`, 0, "latin1") ?? false;
  // Bytes that have both may be of HTTP, with a field or a body that looks like the other.
  return has("RTSP") && !has("HTTP");
}
