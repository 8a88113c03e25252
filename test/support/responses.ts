/** One response as a client reads it. */
export interface ReadResponse {
  readonly status: number;
  readonly head: string;
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
    const lengths = head.match(/^content-length: \d+$/gim) ?? [];
    if (lengths.length > 1) throw new Error(`two lengths: ${head}`);
    const bodyBytes = lengths[0] === undefined ? rest.length : Number(lengths[0].slice(16));
    if (rest.length < bodyBytes || (lengths[0] === undefined && !closed)) break;
    responses.push({ status, head, body: rest.slice(0, bodyBytes) });
    rest = rest.slice(bodyBytes);
  }
  return responses;
}
