import { escapeOf, type RequestKind } from "../../harness/load/request/kind.js";
import { usageError } from "../../shared/errors.js";
import { type ReadRequests, withOwnNames } from "./document.js";
import { type HeaderField, headerField, methodOf } from "./parts.js";

/** The part of an HTTP Archive (HAR 1.2) that is read. */
interface Har {
  readonly log: { readonly entries: readonly HarEntry[] };
}

interface HarEntry {
  readonly request: {
    readonly method: string;
    readonly url: string;
    readonly headers?: readonly { readonly name: string; readonly value: string }[];
    readonly postData?: { readonly mimeType?: string; readonly text?: string };
  };
  readonly response?: { readonly status?: number };
}

/**
 * Fields of a recorded request that are not sent again: what the generator writes itself, what belongs to the recorded connection, and what
 * would have the server answer with 304 or a part.
 */
const DROPPED =
  /^(:.*|host|connection|keep-alive|proxy-.*|content-length|transfer-encoding|te|upgrade|http2-settings|if-.*|range)$/i;

export function isHar(stored: unknown): stored is Har {
  const log = (stored as Partial<Har> | null)?.log;
  return typeof log === "object" && log !== null && Array.isArray(log.entries);
}

/**
 * What a browser has recorded, as a mix: the same request twice has twice the weight. Of several hosts it is that of `authority`, or, where
 * the recording has none of it, that of its first request.
 */
export function requestsOfHar(where: string, { log }: Har, authority: string): ReadRequests {
  const parsed = log.entries.map(({ request, response }, index) => {
    const at = `${where}, log.entries[${index}]`;
    if (typeof request?.url !== "string" || !URL.canParse(request.url)) throw usageError(`${at} has no URL`);
    return { at, request, url: new URL(request.url), status: response?.status };
  });
  const http = parsed.filter(({ url }) => /^https?:$/.test(url.protocol));
  const [first] = http;
  if (first === undefined)
    throw usageError(`${where} has no request over HTTP: record one in the browser's network panel`);
  const host = http.some(({ url }) => url.host === authority) ? authority : first.url.host;
  const own = http.filter(({ url }) => url.host === host);
  const byContent = new Map<string, RequestKind>();
  for (const { at, request, url, status } of own) {
    const kind = kindOf(at, request, url, status);
    const key = JSON.stringify([
      kind.method,
      kind.path,
      kind.body === null ? null : Buffer.from(kind.body).toString("base64"),
    ]);
    const known = byContent.get(key);
    byContent.set(key, known === undefined ? kind : { ...known, weight: known.weight + 1 });
  }
  const others = parsed.length - own.length;
  return {
    headers: [],
    kinds: withOwnNames([...byContent.values()]),
    fields: null,
    notes: [
      ...(others > 0
        ? [`${others} of the ${parsed.length} recorded requests did not go to ${host} and are left out.`]
        : []),
      ...(host === authority || authority === "" ? [] : [`What was recorded of ${host} is sent to ${authority}.`]),
    ],
  };
}

function kindOf(
  at: string,
  request: HarEntry["request"],
  { pathname, search }: URL,
  status: number | undefined,
): RequestKind {
  const method = methodOf(`${at}.request.method`, request.method);
  const text = request.postData?.text;
  const headers = (request.headers ?? []).flatMap(({ name, value }): readonly HeaderField[] =>
    DROPPED.test(name) ? [] : [headerField(`${at}, header`, `${name}: ${value}`)],
  );
  // What the server answered then is a success, but for what only the browser's cache made of it.
  const isOwnStatus = status !== undefined && status >= 300 && status !== 304 && status < 600;
  return {
    name: `${method} ${pathname}`,
    weight: 1,
    method,
    path: pathname + search,
    headers,
    body: text === undefined ? null : Buffer.from(text),
    bodyEscape: escapeOf(headers),
    statuses: isOwnStatus
      ? [
          [200, 299],
          [status, status],
        ]
      : null,
  };
}
