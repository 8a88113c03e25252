import { isIPv6 } from "node:net";
import { addressBytes, isLocal } from "../access-log/address.js";

/** RFC 3986 §3.2.2 and §3.2.3: a registered name, which may be empty and looks like an IPv4 address or not, and a port. */
const NAME = /^(?:[\w\-.~!$&'()*+,;=]|%[\da-f]{2})*(?::\d*)?$/i;
/** An IPv6 address, without a zone, or an address of a later version. */
const LITERAL = /^\[(?:([\da-f:.]+)|v[\da-f]+\.[\w\-.~!$&'()*+,;=:]+)\](?::\d*)?$/i;
const PORT = /:\d*$/;
/** RFC 6761 §6.3. */
const LOCALHOST = /^(?:[\w-]+\.)*localhost\.?$/;

/** Whether a Host field's value is a host and perhaps a port (RFC 9110 §7.2). */
export function isHost(text: string): boolean {
  if (!text.startsWith("[")) return NAME.test(text);
  const found = LITERAL.exec(text);
  return found !== null && (found[1] === undefined || isIPv6(found[1]));
}

/** Whether a target's authority is one that http has: a host that is not empty, and no user (RFC 9110 §4.2.1, §4.2.4). */
export function isAuthority(text: string): boolean {
  return isHost(text) && text.replace(PORT, "") !== "";
}

/** Whether a host, valid as above, can only be this machine: localhost, a name that ends in .localhost, 127.0.0.0/8 or ::1. */
export function isLoopbackHost(text: string): boolean {
  const host = hostWithoutPort(text);
  return LOCALHOST.test(host) || isLocal(addressBytes(host.replace(/^\[(.*)\]$/, "$1")));
}

/** In lower case. */
export function hostWithoutPort(text: string): string {
  return text.replace(PORT, "").toLowerCase();
}
