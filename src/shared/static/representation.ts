import { lookup } from "mrmime";
import type { FileRules } from "../config.js";
import { HeaderBlock, NOT_SNIFFED } from "../handlers/handler.js";
import type { Coding } from "./codings.js";
import type { Validators } from "./conditions.js";
import { httpDate } from "./http-date.js";

/** What is answered for one version of a file in one coding, beside its bytes (RFC 9110 §3.2): prepared when it is loaded. */
export interface Representation extends Validators {
  /** Fields of a 200. */
  readonly ok: HeaderBlock;
  /** Fields of a 304. */
  readonly unchanged: HeaderBlock;
  /** In which codings there is another file of the same content. */
  readonly codings: readonly Coding[];
}

/** What the answers for a file depend on. */
export interface FileFacts {
  /** Its path below the root, with a slash before it. */
  readonly path: string;
  readonly modifiedMs: number;
  /** Its entity tag, with quotes; null: it is being changed, so that nothing can tell this version from another. */
  readonly etag: string | null;
  /** null: as it is. */
  readonly coding: Coding | null;
  readonly codings: readonly Coding[];
}

/** Types that a browser shows as a document, and runs scripts from. */
const DOCUMENT_TYPES: readonly string[] = ["text/html", "application/xhtml+xml", "image/svg+xml"];
const YEAR_SECONDS = 365 * 24 * 60 * 60;

/** Fields of whatever is sent with a type. X-Frame-Options is for browsers that do not know `frame-ancestors`. */
export function securityFields(type: string, { csp }: FileRules): Readonly<Record<string, string>> {
  if (!DOCUMENT_TYPES.includes(type)) return NOT_SNIFFED;
  return {
    ...NOT_SNIFFED,
    ...(csp === null ? {} : { "Content-Security-Policy": csp, "X-Frame-Options": "SAMEORIGIN" }),
    "Referrer-Policy": "same-origin",
  };
}

/** Writes down what is answered for a file: text that can lie in the shared cache, the same for the same version. `parseHead` reads it. */
export function headOf(facts: FileFacts, rules: FileRules, nowMs: number): string {
  const { etag } = facts;
  const type = lookup(facts.path) ?? "application/octet-stream";
  const fields: Record<string, string> = {
    "Content-Type": withCharset(type),
    "Cache-Control": etag === null ? "no-store" : cacheControl(facts.path, type, rules),
    ...(etag === null ? {} : versionFields(etag, facts.modifiedMs, nowMs)),
    ...(facts.coding === null ? {} : { "Content-Encoding": facts.coding }),
    ...(facts.coding === null && facts.codings.length === 0 ? {} : { Vary: "Accept-Encoding" }),
    ...securityFields(type, rules),
  };
  return [facts.codings.join(" "), ...Object.entries(fields).flat()].join("\n");
}

/** Reads what `headOf` wrote. */
export function parseHead(head: string): Representation {
  const [codings = "", ...parts] = head.split("\n");
  const fields: Record<string, string> = {};
  for (let i = 0; i < parts.length; i += 2) fields[parts[i]!] = parts[i + 1]!;
  const lastModified = fields["Last-Modified"];
  // Those that RFC 9110 §15.4.5 asks for. With an ETag there is no use for Last-Modified.
  const unchanged = Object.entries(fields).filter(([name]) => ["ETag", "Cache-Control", "Vary"].includes(name));
  return {
    ok: new HeaderBlock(fields),
    unchanged: new HeaderBlock(Object.fromEntries(unchanged)),
    etag: fields["ETag"] ?? "",
    lastModifiedMs: lastModified === undefined ? null : Date.parse(lastModified),
    codings: codings === "" ? [] : (codings.split(" ") as Coding[]),
  };
}

function versionFields(etag: string, modifiedMs: number, nowMs: number): Readonly<Record<string, string>> {
  return {
    ETag: etag,
    // A date in the future would have to be replaced by that of each answer (RFC 9110 §8.8.2.1): it is left out until it has come.
    ...(modifiedMs > nowMs ? {} : { "Last-Modified": httpDate(modifiedMs) }),
    "Accept-Ranges": "bytes",
  };
}

/** Documents are always asked for again, which costs a 304; what has its hash in its name never is. */
function cacheControl(path: string, type: string, { immutable, maxAgeSeconds }: FileRules): string {
  if (DOCUMENT_TYPES.includes(type)) return "no-cache";
  if (immutable !== null && new RegExp(immutable).test(path)) return `public, max-age=${YEAR_SECONDS}, immutable`;
  return maxAgeSeconds === 0 ? "no-cache" : `public, max-age=${maxAgeSeconds}`;
}

function withCharset(type: string): string {
  const isText = type.startsWith("text/") || type === "application/json" || type === "image/svg+xml";
  return isText ? `${type}; charset=utf-8` : type;
}
