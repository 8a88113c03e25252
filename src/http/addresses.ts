/**
 * Client addresses as sockets give them: 4 bytes, 16, or none. On a Unix-domain socket no client has one; on TCP one that has reset its
 * connection has none any more.
 */

export const NO_ADDRESS = new Uint8Array(0);

const MAPPED_PREFIX = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]);

/** Without the prefix that an IPv4 client of an IPv6 socket has (RFC 4291 §2.5.5.2). */
export function unmapped(address: Uint8Array): Uint8Array {
  const isMapped = address.length === 16 && MAPPED_PREFIX.equals(address.subarray(0, 12));
  return isMapped ? address.subarray(12) : address;
}

/** Whether an address is this machine's alone: 127.0.0.0/8 or ::1. No address is not. */
export function isLocal(address: Uint8Array): boolean {
  const bytes = unmapped(address);
  if (bytes.length === 4) return bytes[0] === 127;
  return bytes.length === 16 && bytes.every((byte, i) => byte === (i === 15 ? 1 : 0));
}
