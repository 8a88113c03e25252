/** One response as a client reads it. */
export interface ReadResponse {
  readonly status: number;
  readonly head: string;
  /** Without the chunks' own bytes. */
  readonly body: string;
}

/**
 * The whole responses at the start of what has arrived, informational ones left out. One without a length lasts until the connection is
 * closed (RFC 9112 §6.3); `closed` says whether it is. Throws an Error for what is no response.
 */
export function readResponses(text: string, closed: boolean): readonly ReadResponse[] {
  const responses: ReadResponse[] = [];
  let rest = text;
  while (rest !== "") {
    const end = rest.indexOf("\r\n\r\n");
    if (end === -1) break;
    const head = rest.slice(0, end);
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1] ?? Number.NaN);
    if (Number.isNaN(status)) throw new Error(`no response: ${JSON.stringify(rest.slice(0, 100))}`);
    rest = rest.slice(end + 4);
    if (status < 200) continue;
    const found = bodyAt(rest, status, head, closed);
    if (found === null) break;
    responses.push({ status, head, body: found.body });
    rest = rest.slice(found.endsAt);
  }
  return responses;
}

/** null: it has not arrived whole. */
function bodyAt(text: string, status: number, head: string, closed: boolean): { body: string; endsAt: number } | null {
  if (status === 204 || status === 304) return { body: "", endsAt: 0 };
  if (/^transfer-encoding: chunked\r?$/im.test(head)) return chunkedBodyAt(text);
  const lengths = head.match(/^content-length: \d+$/gim) ?? [];
  if (lengths.length > 1) throw new Error(`two lengths: ${head}`);
  if (lengths[0] === undefined) return closed ? { body: text, endsAt: text.length } : null;
  const bytes = Number(lengths[0].slice(16));
  return text.length < bytes ? null : { body: text.slice(0, bytes), endsAt: bytes };
}

/** RFC 9112 §7.1, without extensions and trailers, which no server of these tests sends. Throws an Error for what is no chunk. */
function chunkedBodyAt(text: string): { body: string; endsAt: number } | null {
  const parts: string[] = [];
  let at = 0;
  for (;;) {
    const line = text.indexOf("\r\n", at);
    if (line === -1) return null;
    const size = text.slice(at, line);
    if (!/^[\da-f]+$/i.test(size)) throw new Error(`no chunk size: ${JSON.stringify(size.slice(0, 100))}`);
    const start = line + 2;
    const end = start + Number.parseInt(size, 16);
    if (text.length < end + 2) return null;
    if (text.slice(end, end + 2) !== "\r\n") throw new Error("a chunk that does not end where it says");
    at = end + 2;
    if (start === end) return { body: parts.join(""), endsAt: at };
    parts.push(text.slice(start, end));
  }
}
