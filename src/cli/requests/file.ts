import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { escapeOf, type RequestKind } from "../../harness/load/request/kind.js";
import { misfitOf } from "../../harness/report/schema.js";
import { messageOf, usageError } from "../../shared/errors.js";
import { fileBody, textBody } from "./body.js";
import {
  type ReadRequests,
  type RequestsDocument,
  type StoredHeaders,
  type StoredRequest,
  withOwnNames,
} from "./document.js";
import { readFields } from "./fields.js";
import { isHar, requestsOfHar } from "./har.js";
import { type HeaderField, headerField, methodOf, statusesOf } from "./parts.js";

/**
 * Reads a file of requests, or a HAR, of which those are taken that went where `url` leads. Its paths stand behind that of the URL. Throws a
 * usage error that names the file and the place in it.
 */
export async function readRequests(
  file: string,
  url: { readonly path: string; readonly authority: string },
): Promise<ReadRequests> {
  const where = `--requests-file ${file}`;
  const content = await readFile(file, "utf8").catch((error: unknown) => {
    throw usageError(`${where} cannot be read: ${messageOf(error)}`);
  });
  let stored: unknown;
  try {
    stored = JSON.parse(content);
  } catch (error) {
    throw usageError(`${where} is not JSON (${messageOf(error)})`);
  }
  if (isHar(stored)) return requestsOfHar(where, stored, url.authority);
  const misfit = await misfitOf("loopool-requests/1", stored);
  if (misfit !== null) throw usageError(`${where}: ${misfit}; see schemas/loopool-requests-1.schema.json`);
  const document = stored as RequestsDocument;
  const folder = dirname(file);
  const { fields = null } = document;
  const prefix = url.path.replace(/[?#].*$/s, "").replace(/\/$/, "");
  const kinds = document.requests.map((request, index) =>
    kindOf(`${where}, requests[${index}]`, request, prefix, folder),
  );
  return {
    headers: headersOf(where, document.headers ?? {}),
    kinds: withOwnNames(kinds),
    fields: typeof fields === "string" ? readFields(where, resolve(folder, fields)) : fields,
    notes: [],
  };
}

function kindOf(where: string, request: StoredRequest, prefix: string, folder: string): RequestKind {
  const bodies = (["body", "bodyBase64", "bodyFile", "form"] as const).filter((key) => request[key] !== undefined);
  if (bodies.length > 1) throw usageError(`${where}: ${bodies.join(" and ")} both name the body: leave one out`);
  const own = headersOf(where, request.headers ?? {});
  const body = bodyOf(where, request, folder);
  const method =
    request.method === undefined ? (body === null ? "GET" : "POST") : methodOf(`${where}.method`, request.method);
  const hasType = own.some(([name]) => /^content-type$/i.test(name));
  const headers: readonly HeaderField[] =
    hasType || body === null || body.type === null ? own : [...own, ["Content-Type", body.type]];
  // Blanks are for the reader; a request line has none.
  const path = `${prefix}${request.path.replace(/\{\{\s*([\w.-]+)\s*\}\}/g, "{{$1}}")}`;
  if (!/^\/[!"$-~]*$/.test(path))
    throw usageError(`${where}.path must start with "/" and have no spaces and no "#", not "${path}"`);
  return {
    name: request.name ?? `${method} ${path}`,
    weight: request.weight ?? 1,
    method,
    path,
    headers,
    body: body?.bytes ?? null,
    bodyEscape: escapeOf(headers),
    statuses: request.expectStatus === undefined ? null : statusesOf(`${where}.expectStatus`, request.expectStatus),
  };
}

function bodyOf(where: string, { body, bodyBase64, bodyFile, form }: StoredRequest, folder: string) {
  if (bodyFile !== undefined) return fileBody(`${where}.bodyFile`, resolve(folder, bodyFile));
  if (bodyBase64 !== undefined) return { bytes: Buffer.from(bodyBase64, "base64"), type: null };
  if (form !== undefined) {
    // Braces are for what fills them.
    const pairs = Object.entries(form).map(([name, value]) => `${encoded(name)}=${encoded(value)}`);
    return { bytes: Buffer.from(pairs.join("&")), type: "application/x-www-form-urlencoded" };
  }
  if (body === undefined) return null;
  return typeof body === "string"
    ? textBody(body)
    : { bytes: Buffer.from(JSON.stringify(body)), type: "application/json" };
}

function encoded(value: string): string {
  return encodeURIComponent(value).replace(/%7B%7B(?:%20)*([\w.-]+)(?:%20)*%7D%7D/gi, "{{$1}}");
}

function headersOf(where: string, headers: StoredHeaders): readonly HeaderField[] {
  return Object.entries(headers).flatMap(([name, values]) =>
    [values].flat().map((value) => headerField(`${where}, header`, `${name}: ${value}`)),
  );
}
