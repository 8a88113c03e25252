import type { StatusRange } from "./status.js";

/** One kind of request of a run. Can be posted to a thread, and stored as JSON but for its body. */
export interface RequestKind {
  /** What results call it, like "POST /orders"; unique in a run. */
  readonly name: string;
  /** How often it is sent beside the others: its share is its weight ÷ the sum of all. */
  readonly weight: number;
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** Header fields beside those of the run. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** null: none. */
  readonly body: Uint8Array | null;
  /** How values are written where they stand in the body. */
  readonly bodyEscape: Escape;
  /** Statuses that are a success; null: 2xx. */
  readonly statuses: readonly StatusRange[] | null;
}

/** As they are; percent-encoded; or as the inside of a JSON string. */
export type Escape = "none" | "url" | "json";

/** What fills `{{name}}`: a row for each request, in order, from the first again after the last. */
export interface Fields {
  readonly names: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The one kind of a run for which no others were asked. */
export function plainGet(path: string): RequestKind {
  return {
    name: `GET ${path}`,
    weight: 1,
    method: "GET",
    path,
    headers: [],
    body: null,
    bodyEscape: "none",
    statuses: null,
  };
}

/** How values are written into a body of the type that header fields name. */
export function escapeOf(headers: readonly (readonly [name: string, value: string])[]): Escape {
  const type = headers.find(([name]) => /^content-type$/i.test(name))?.[1] ?? "";
  if (/^application\/(.+\+)?json\b/i.test(type)) return "json";
  return /^application\/x-www-form-urlencoded\b/i.test(type) ? "url" : "none";
}
