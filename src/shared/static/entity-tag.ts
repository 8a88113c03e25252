import type { Coding } from "./codings.js";

/**
 * Entity tags of files (RFC 9110 §8.8.3). Neither kind has an inode number or a time of the machine's own in it: copies of a site on
 * several machines are to agree. Each coding has a tag of its own (§8.8.3.3).
 */

/** Of a file that was read: made of what is in it, and so the same for the same bytes and no others. `hash`: visible ASCII without quotes. */
export function strongTag(hash: string, coding: Coding | null): string {
  return `"${withCoding(hash, coding)}"`;
}

/**
 * Of a file that is only streamed: made of time of change, in µs, and length. Weak, since two files may have both in common: builds that
 * can be repeated give all files one date (SOURCE_DATE_EPOCH).
 */
export function weakTag(bytes: number, modifiedMs: number, coding: Coding | null): string {
  return `W/"${withCoding(`${Math.round(modifiedMs * 1000).toString(16)}-${bytes.toString(16)}`, coding)}"`;
}

export function isWeak(tag: string): boolean {
  return tag.startsWith("W/");
}

/** What weak comparison looks at (§8.8.3.2). */
export function opaqueTag(tag: string): string {
  return isWeak(tag) ? tag.slice(2) : tag;
}

function withCoding(version: string, coding: Coding | null): string {
  return coding === null ? version : `${version}-${coding}`;
}
