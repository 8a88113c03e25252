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
