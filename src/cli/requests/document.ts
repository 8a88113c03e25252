import type { Fields, RequestKind } from "../../harness/load/request/kind.js";
import type { HeaderField } from "./parts.js";

/** A file with several kinds of request, as schemas/loopool-requests-1.schema.json describes it. */
export interface RequestsDocument {
  readonly schema: "loopool-requests/1";
  /** A CSV file or JSON lines, from the folder of this file, or the rows themselves. */
  readonly fields?: string | Fields;
  /** Of every request. */
  readonly headers?: StoredHeaders;
  readonly requests: readonly StoredRequest[];
}

export type StoredHeaders = Readonly<Record<string, string | readonly string[]>>;

export interface StoredRequest {
  readonly name?: string;
  readonly weight?: number;
  readonly method?: string;
  readonly path: string;
  readonly headers?: StoredHeaders;
  /** A text, or anything else as JSON. */
  readonly body?: unknown;
  readonly bodyBase64?: string;
  readonly bodyFile?: string;
  readonly form?: Readonly<Record<string, string>>;
  readonly expectStatus?: string | number;
}

/** What a file asks to send. */
export interface ReadRequests {
  readonly headers: readonly HeaderField[];
  readonly kinds: readonly RequestKind[];
  readonly fields: Fields | null;
  /** What was left out, a sentence each. */
  readonly notes: readonly string[];
}

/** The second of a name is "name (2)". */
export function withOwnNames(kinds: readonly RequestKind[]): readonly RequestKind[] {
  const seen = new Map<string, number>();
  return kinds.map((kind) => {
    const count = (seen.get(kind.name) ?? 0) + 1;
    seen.set(kind.name, count);
    return count === 1 ? kind : { ...kind, name: `${kind.name} (${count})` };
  });
}
