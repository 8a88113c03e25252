import { createHash, timingSafeEqual } from "node:crypto";
import { isLocal } from "./addresses.js";
import { LOCAL_ONLY, type Refusal, TOKEN_NEEDED } from "./refusals.js";

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
 * Who may see the figures: with a token whoever sends it, as a bearer token (RFC 6750) or as the password of any user (RFC 7617); without
 * one the clients of this machine. What a proxy says of its clients is not believed: it is the client.
 */
export class AdminGate {
  readonly #digest: Buffer | null;

  constructor(token: string | null) {
    this.#digest = token === null ? null : digestOf(token);
  }

  /** null: it may pass. `authorization`: the field's value, "" without one; `address`: the client's, asked only where it counts. */
  check(authorization: string, address: () => Uint8Array): Refusal | null {
    if (this.#digest === null) return isLocal(address()) ? null : LOCAL_ONLY;
    // Digests are of one length, and compared in constant time.
    return timingSafeEqual(digestOf(tokenOf(authorization)), this.#digest) ? null : TOKEN_NEEDED;
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
