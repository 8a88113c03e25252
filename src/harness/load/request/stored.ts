import { escapeOf, type Fields, type RequestKind } from "./kind.js";
import { parseStatuses, statusesText } from "./status.js";

/**
 * What is sent as JSON that refers to nothing else: a sweep keeps it in its result and hands it to its generators. It is what
 * schemas/loopool-requests-1.schema.json describes, with everything said.
 */
export interface StoredRequests {
  readonly schema: "loopool-requests/1";
  readonly fields?: Fields;
  /** Of every request. */
  readonly headers: StoredHeaders;
  readonly requests: readonly StoredKind[];
}

export type StoredHeaders = Readonly<Record<string, readonly string[]>>;

export interface StoredKind {
  readonly name: string;
  readonly weight: number;
  readonly method: string;
  readonly path: string;
  readonly headers: StoredHeaders;
  /** A body that is a text; or, in base64, one that is none. */
  readonly body?: string;
  readonly bodyBase64?: string;
  readonly expectStatus?: string;
}

/** What is sent, as a run takes it. */
export interface Requests {
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly kinds: readonly RequestKind[];
  readonly fields: Fields | null;
}

export function storeRequests({ headers, kinds, fields }: Requests): StoredRequests {
  return {
    schema: "loopool-requests/1",
    ...(fields === null ? {} : { fields }),
    headers: storedHeaders(headers),
    requests: kinds.map(({ name, weight, method, path, body, statuses, ...kind }) => ({
      name,
      weight,
      method,
      path,
      headers: storedHeaders(kind.headers),
      ...(body === null ? {} : storedBody(body)),
      ...(statuses === null ? {} : { expectStatus: statusesText(statuses) }),
    })),
  };
}

export function restoreRequests({ headers, requests, fields }: StoredRequests): Requests {
  return {
    headers: restoredHeaders(headers),
    kinds: requests.map(({ name, weight, method, path, body, bodyBase64, expectStatus, ...kind }) => {
      const own = restoredHeaders(kind.headers);
      const bytes = bodyBase64 === undefined ? body : Buffer.from(bodyBase64, "base64");
      return {
        name,
        weight,
        method,
        path,
        headers: own,
        body: typeof bytes === "string" ? Buffer.from(bytes) : (bytes ?? null),
        bodyEscape: escapeOf([...restoredHeaders(headers), ...own]),
        statuses: expectStatus === undefined ? null : parseStatuses(expectStatus),
      };
    }),
    fields: fields ?? null,
  };
}

function storedHeaders(headers: Requests["headers"]): StoredHeaders {
  const stored: Record<string, string[]> = {};
  for (const [name, value] of headers) stored[name] = [...(stored[name] ?? []), value];
  return stored;
}

function restoredHeaders(headers: StoredHeaders): Requests["headers"] {
  return Object.entries(headers).flatMap(([name, values]) => values.map((value) => [name, value] as const));
}

/** As text where the bytes are one. */
function storedBody(body: Uint8Array): Pick<StoredKind, "body" | "bodyBase64"> {
  const bytes = Buffer.from(body);
  const text = bytes.toString("utf8");
  return Buffer.from(text).equals(bytes) ? { body: text } : { bodyBase64: bytes.toString("base64") };
}
