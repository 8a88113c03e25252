import type { IncomingMessage } from "node:http";

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
