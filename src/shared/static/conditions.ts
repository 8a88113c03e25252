import type { RequestHeaders } from "../handlers/handler.js";
import { isWeak, opaqueTag } from "./entity-tag.js";
import { parseHttpDate } from "./http-date.js";

/** What tells one version of a representation from another (RFC 9110 §8.8). */
export interface Validators {
  /** An entity tag, with its quotes, W/ before it where it is weak; "": none. */
  readonly etag: string;
  /** Whole seconds, in ms since 1970; null: not known. */
  readonly lastModifiedMs: number | null;
}

/** The fields that make a request conditional (RFC 9110 §13.1). */
export const CONDITION_FIELDS = [
  "if-match",
  "if-unmodified-since",
  "if-none-match",
  "if-modified-since",
  "if-range",
] as const;

/**
 * What the preconditions of a GET or HEAD come to, in the order of RFC 9110 §13.2.2: `failed` is a 412, `unchanged` a 304. To be asked
 * only for what would be answered with 200 (§13.2.1).
 */
export function evaluateConditions(headers: RequestHeaders, current: Validators): "failed" | "unchanged" | "go on" {
  const ifMatch = headers["if-match"];
  const ifUnmodifiedSince = headers["if-unmodified-since"];
  if (ifMatch !== undefined) {
    // §13.1.1: strong comparison.
    if (!isListed(ifMatch, (tag) => isSameStrong(tag, current.etag))) return "failed";
  } else if (ifUnmodifiedSince !== undefined && isLaterThan(ifUnmodifiedSince, current) === true) {
    return "failed";
  }
  const ifNoneMatch = headers["if-none-match"];
  const ifModifiedSince = headers["if-modified-since"];
  if (ifNoneMatch !== undefined) {
    // §13.1.2: weak comparison. With it, If-Modified-Since is not looked at (§13.1.3).
    const opaque = opaqueTag(current.etag);
    if (isListed(ifNoneMatch, (tag) => opaqueTag(tag) === opaque)) return "unchanged";
  } else if (ifModifiedSince !== undefined && isLaterThan(ifModifiedSince, current) === false) {
    return "unchanged";
  }
  return "go on";
}

/** Whether the range of a request with this If-Range is to be sent, and not the whole (RFC 9110 §13.1.5). A weak validator never matches. */
export function ifRangeHolds(ifRange: string, current: Validators, nowMs = Date.now()): boolean {
  const date = parseHttpDate(ifRange, nowMs);
  if (date === undefined) return isSameStrong(ifRange, current.etag);
  // A date tells versions apart only once its second has passed (§8.8.2.2).
  return date === current.lastModifiedMs && nowMs - date >= 1000;
}

/** RFC 9110 §8.8.3.2: a weak tag is the same as no other, not even as itself. */
function isSameStrong(tag: string, current: string): boolean {
  return tag === current && current !== "" && !isWeak(current);
}

/** Whether the version is later than a date; undefined where either is not known, and the field is to be ignored (RFC 9110 §13.1.3, §13.1.4). */
function isLaterThan(text: string, { lastModifiedMs }: Validators): boolean | undefined {
  const date = parseHttpDate(text);
  return date === undefined || lastModifiedMs === null ? undefined : lastModifiedMs > date;
}

/** One member of a list of entity tags (RFC 9110 §8.8.3), with the commas before it: empty members are allowed (§5.6.1). */
const LISTED_TAG = /[\t ,]*((?:W\/)?"[!#-~\u0080-\uffff]*")[\t ]*(?=,|$)/y;

/** Whether a list, or `*`, has a tag that matches. What comes after a mistake in the list is not looked at. */
function isListed(list: string, matches: (tag: string) => boolean): boolean {
  if (list === "*") return true;
  LISTED_TAG.lastIndex = 0;
  for (let found = LISTED_TAG.exec(list); found !== null; found = LISTED_TAG.exec(list)) {
    if (matches(found[1]!)) return true;
  }
  return false;
}
