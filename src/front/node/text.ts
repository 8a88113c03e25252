/** RFC 9112 §3.2.2: a server must take the absolute form, too. */
const ABSOLUTE = /^https?:\/\/[^/?]*/i;
// biome-ignore lint/suspicious/noControlCharactersInRegex: all that is not ASCII
const NOT_ASCII = /[^\x00-\x7f]/;

/** Node gives a character for each byte; the other front, and the access log, have UTF-8. */
export function textOf(raw: string): string {
  return NOT_ASCII.test(raw) ? Buffer.from(raw, "latin1").toString() : raw;
}

/** Path and query of a request target as it arrived; without a `?` the query is undefined. */
export function targetOf(raw: string): { readonly path: string; readonly query: string | undefined } {
  let target = textOf(raw);
  if (!target.startsWith("/")) {
    const rest = target.replace(ABSOLUTE, "");
    target = rest !== target && !rest.startsWith("/") ? `/${rest}` : rest;
  }
  const mark = target.indexOf("?");
  if (mark === -1) return { path: target, query: undefined };
  return { path: target.slice(0, mark), query: target.slice(mark + 1) };
}
