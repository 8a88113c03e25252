import { isIPv4, isIPv6 } from "node:net";

/**
 * Client addresses as sockets give them: 4 bytes, 16, or none. On a Unix-domain socket no client has one; on TCP one that has reset its
 * connection has none any more.
 */

export const NO_ADDRESS: Uint8Array = new Uint8Array(0);

const MAPPED_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/**
 * The text of an address of 4 or 16 bytes at `start` of `bytes`: dotted, or as RFC 5952 has it; an IPv4 client of an IPv6 socket is
 * dotted too. "-" for none.
 */
export function addressText(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length === 4) return dotted(bytes, start);
  if (length !== 16) return "-";
  if (MAPPED_PREFIX.every((byte, i) => bytes[start + i] === byte)) return dotted(bytes, start + 12);
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[start + 2 * i]! << 8) | bytes[start + 2 * i + 1]!);
  const { from, to } = longestZeros(groups);
  const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(":");
  return to - from < 2 ? hex(groups) : `${hex(groups.slice(0, from))}::${hex(groups.slice(to))}`;
}

/** The text of addresses, "" for none. The last one is kept: a client that sends many requests is written once. */
export class ClientAddresses {
  #bytes = NO_ADDRESS;
  #text = "";

  of(bytes: Uint8Array): string {
    if (bytes === this.#bytes) return this.#text;
    this.#bytes = bytes;
    this.#text = bytes.length === 0 ? "" : addressText(bytes, 0, bytes.length);
    return this.#text;
  }
}

/** The bytes of an address as Node writes it, with or without a zone; none for what is no IP address. */
export function addressBytes(text: string): Uint8Array {
  if (isIPv4(text)) return Uint8Array.from(text.split("."), Number);
  const [address = ""] = text.split("%");
  if (!isIPv6(address)) return new Uint8Array(0);
  // An IPv4 address at the end stands for two groups (RFC 4291 §2.2).
  const hex = address.replace(/[^:]*\.[^:]*$/, (ipv4) => {
    const [a = 0, b = 0, c = 0, d = 0] = ipv4.split(".").map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [before = [], after] = hex.split("::").map((part) => (part === "" ? [] : part.split(":")));
  const zeros = after === undefined ? [] : new Array<string>(8 - before.length - after.length).fill("0");
  const groups = [...before, ...zeros, ...(after ?? [])].map((group) => Number.parseInt(group, 16));
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

function dotted(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

/** The first of the longest runs of zeros. */
function longestZeros(groups: readonly number[]): { readonly from: number; readonly to: number } {
  let best = { from: 0, to: 0 };
  let from = 0;
  groups.forEach((group, i) => {
    if (group !== 0) from = i + 1;
    else if (i + 1 - from > best.to - best.from) best = { from, to: i + 1 };
  });
  return best;
}

/** As above in bytes, made once for records of the same client that follow each other. */
export class AddressTexts {
  #bytes = new Uint8Array(0);
  #text: Uint8Array = Buffer.from("-");

  of(bytes: Uint8Array, start: number, end: number): Uint8Array {
    const last = this.#bytes;
    let same = last.length === end - start;
    for (let i = 0; same && i < last.length; i++) same = last[i] === bytes[start + i];
    if (!same) {
      this.#bytes = Uint8Array.from(bytes.subarray(start, end));
      this.#text = Buffer.from(addressText(bytes, start, end));
    }
    return this.#text;
  }
}

/** Without the prefix that an IPv4 client of an IPv6 socket has (RFC 4291 §2.5.5.2). */
export function unmapped(address: Uint8Array): Uint8Array {
  const isMapped = address.length === 16 && MAPPED_PREFIX.every((byte, i) => address[i] === byte);
  return isMapped ? address.subarray(12) : address;
}

/** Whether an address is this machine's alone: 127.0.0.0/8 or ::1. No address is not. */
export function isLocal(address: Uint8Array): boolean {
  const bytes = unmapped(address);
  if (bytes.length === 4) return bytes[0] === 127;
  return bytes.length === 16 && bytes.every((byte, i) => byte === (i === 15 ? 1 : 0));
}
