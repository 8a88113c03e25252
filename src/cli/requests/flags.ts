import { escapeOf, type Fields, type RequestKind } from "../../harness/load/request/kind.js";
import { usageError } from "../../shared/errors.js";
import { text } from "../values/options.js";
import { bodyOf } from "./body.js";
import { checkPlaceholders, readFields } from "./fields.js";
import { readRequests } from "./file.js";
import { type HeaderField, headerField, methodOf, statusesOf } from "./parts.js";

/** What is sent, from the flags, for `load` and `sweep` alike. Each function throws a usage error that names the flag. */

type Values = Readonly<Record<string, unknown>>;

/** Flags that take a value. `--variable-length` is beside them. */
export const requestFlags = {
  method: { alias: "m", describe: "method of the request [default: GET; with a body: POST]" },
  header: { alias: "H", describe: 'one more header field, "Name: value"; may be repeated' },
  body: { describe: "body of the request, as it stands" },
  "body-file": { describe: "file with the body of the request" },
  form: {
    describe:
      'a field of a form that is the body, "name=value", or "name=@file" to send a file (multipart); may be repeated',
  },
  "expect-status": { describe: "statuses that are a success, like 2xx,404 [default: 2xx]" },
  "requests-file": {
    describe:
      "several kinds of request, each with its weight: JSON (schemas/loopool-requests-1.schema.json), or a HAR that a browser has recorded",
  },
  fields: { describe: "CSV file, or JSON lines, whose rows fill {{name}} in paths, header fields and bodies" },
} as const;

/** What the flags ask to send. */
export interface AskedRequests {
  /** Of every request. */
  readonly headers: readonly HeaderField[];
  readonly kinds: readonly RequestKind[];
  readonly fields: Fields | null;
  /** Several kinds, or fields that make requests differ: bodies are expected to. */
  readonly varied: boolean;
  /** What was left out, a sentence each. */
  readonly notes: readonly string[];
}

/** `url`: what is loaded; its path is that of the one request, or stands before those of a file. */
export async function requestsOf(
  argv: Values,
  url: { readonly path: string; readonly authority: string },
): Promise<AskedRequests> {
  const headers = [argv["header"] ?? []].flat().map((raw) => headerField("--header", String(raw)));
  const statuses = argv["expect-status"] === undefined ? null : statusesOf("--expect-status", argv["expect-status"]);
  const given = argv["fields"] === undefined ? null : readFields("--fields", text("fields", argv["fields"]));
  if (argv["requests-file"] === undefined) {
    const kind = { ...requestKindOf(argv, url.path, headers), statuses };
    checkPlaceholders("--fields", [kind], headers, given);
    return { headers, kinds: [kind], fields: given, varied: given !== null, notes: [] };
  }
  const alone = ["method", "body", "body-file", "form"].find((flag) => argv[flag] !== undefined);
  if (alone !== undefined)
    throw usageError(`--${alone} is of one request, and --requests-file has several: leave one out`);
  const file = text("requests-file", argv["requests-file"]);
  const read = await readRequests(file, url);
  const fields = given ?? read.fields;
  const kinds = read.kinds.map((kind) => ({ ...kind, statuses: kind.statuses ?? statuses }));
  checkPlaceholders(`--requests-file ${file}`, kinds, [...headers, ...read.headers], fields);
  return {
    headers: [...read.headers, ...headers],
    kinds,
    fields,
    varied: kinds.length > 1 || fields !== null,
    notes: read.notes,
  };
}

/** The one kind of request that the flags describe. */
function requestKindOf(argv: Values, path: string, headers: readonly HeaderField[]): RequestKind {
  const body = bodyOf(argv);
  const method = argv["method"] === undefined ? (body === null ? "GET" : "POST") : methodOf("--method", argv["method"]);
  const hasType = headers.some(([name]) => /^content-type$/i.test(name));
  const own: readonly HeaderField[] =
    hasType || body === null || body.type === null ? [] : [["Content-Type", body.type]];
  const bodyEscape = escapeOf([...headers, ...own]);
  return {
    name: `${method} ${path}`,
    weight: 1,
    method,
    path,
    headers: own,
    body: body?.bytes ?? null,
    bodyEscape,
    statuses: null,
  };
}
