/** What the access log wants of a request's header fields. */
export interface RequestHead {
  /** "" where it was not sent. */
  readonly referrer: string;
  readonly userAgent: string;
}

/** `rawHeaders` as Node has them: name, value, name, value, …; the first of a name counts. */
export function readHead(rawHeaders: readonly string[]): RequestHead {
  let referrer = "";
  let userAgent = "";
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    // Names of other lengths need not be put into lower case.
    if (name.length === 7) {
      if (referrer === "" && name.toLowerCase() === "referer") referrer = rawHeaders[i + 1]!;
    } else if (name.length === 10) {
      if (userAgent === "" && name.toLowerCase() === "user-agent") userAgent = rawHeaders[i + 1]!;
    }
  }
  return { referrer, userAgent };
}

/** Shows each field to `visit`, its name in lower case. */
export function visitFields(rawHeaders: readonly string[], visit: (name: string, value: string) => void): void {
  for (let i = 0; i < rawHeaders.length; i += 2) visit(rawHeaders[i]!.toLowerCase(), textOf(rawHeaders[i + 1]!));
}

/** RFC 9112 §3.2.2: a server must take the absolute form, too. */
const ABSOLUTE = /^https?:\/\/[^/?]*/i;
// biome-ignore lint/suspicious/noControlCharactersInRegex: all that is not ASCII
const NOT_ASCII = /[^\x00-\x7f]/;

/** Node gives a character for each byte; the other front, and the access log, have UTF-8. */
function textOf(raw: string): string {
  return NOT_ASCII.test(raw) ? Buffer.from(raw, "latin1").toString() : raw;
}

/** Path and query of a request target as it arrived; without a `?` the query is undefined. */
export function targetOf(raw: string): { readonly path: string; readonly query: string | undefined } {
  let target = textOf(raw);
  if (!target.startsWith("/")) {
    target = target.replace(ABSOLUTE, "");
    if (target === "" || target.startsWith("?")) target = `/${target}`;
  }
  const mark = target.indexOf("?");
  return mark === -1
    ? { path: target, query: undefined }
    : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}
