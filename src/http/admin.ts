import { createHash, timingSafeEqual } from "node:crypto";
import { isLocal } from "../access-log/address.js";
import type { ServerConfig } from "../shared/config.js";
import { hostWithoutPort, isLoopbackHost } from "./host.js";
import { urlHost } from "./listening.js";
import { FOREIGN_HOST, LOCAL_ONLY, type Refusal, TOKEN_NEEDED } from "./refusals.js";

/** Whether a path's second character begins what is protected, may turn out to, or is a slash too many, which the file handler forgives. */
const CANDIDATE = /^\/[sm%/]/;

/** Whether a path, as it arrived, is /metrics or begins with /stats. */
export function isAdminPath(path: string): boolean {
  if (!CANDIDATE.test(path)) return false;
  let plain = path;
  if (path.includes("%")) {
    try {
      plain = decodeURIComponent(path);
    } catch {
      // No handler takes it.
      return false;
    }
  }
  return /^\/+(?:stats|metrics$)/.test(plain);
}

/**
 * Who may see the metrics: with a token whoever sends it, as a bearer token (RFC 6750) or as the password of any user (RFC 7617); without
 * one the clients of this machine, who ask for it by a name that only this machine has. What a proxy says of its clients is not believed:
 * it is the client.
 */
export class AdminPolicy {
  readonly #digest: Buffer | null;
  /** All clients of a Unix-domain socket are of this machine, and no browser is among them. */
  readonly #isUnix: boolean;
  /** What the server's own URL has, which its user chose. */
  readonly #ownHost: string;

  constructor({ adminToken, unix, host }: Pick<ServerConfig, "adminToken" | "unix" | "host">) {
    this.#digest = adminToken === null ? null : digestOf(adminToken);
    this.#isUnix = unix !== null;
    this.#ownHost = urlHost(host).toLowerCase();
  }

  /**
   * null: it may pass. `authorization`: the field's value, "" without one; `host`: what the client asked, valid, null without one (HTTP/1.0);
   * `address`: the client's, asked only where it counts. Without an address a client of a port is not known to be of this machine.
   */
  check(authorization: string, host: string | null, address: () => Uint8Array): Refusal | null {
    if (this.#digest !== null) {
      // Digests are of one length, and compared in constant time.
      return timingSafeEqual(digestOf(tokenOf(authorization)), this.#digest) ? null : TOKEN_NEEDED;
    }
    if (this.#isUnix) return null;
    if (!isLocal(address())) return LOCAL_ONLY;
    return host === null || this.#isOurs(host) ? null : FOREIGN_HOST;
  }

  /** A page of another site can have its name resolved to this machine, and then ask as of the same origin: the name tells (DNS rebinding). */
  #isOurs(host: string): boolean {
    return isLoopbackHost(host) || hostWithoutPort(host) === this.#ownHost;
  }
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

/** "" where there is none, which no token is. */
function tokenOf(authorization: string): string {
  const [, scheme, credentials] = /^(bearer|basic) +(\S+) *$/i.exec(authorization) ?? [];
  if (scheme === undefined || credentials === undefined) return "";
  if (scheme.toLowerCase() === "bearer") return credentials;
  const pair = Buffer.from(credentials, "base64").toString();
  return pair.includes(":") ? pair.slice(pair.indexOf(":") + 1) : "";
}
