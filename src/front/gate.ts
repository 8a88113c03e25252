import type { ServerConfig } from "../shared/config.js";
import { AdminGate, isAdminPath } from "./admin.js";
import { RateLimiter } from "./rate-limiter.js";
import { type Refusal, tooManyRequests } from "./refusals.js";

/** Who gets to the core: a client within its rate, and to the figures one that may see them. */
export class Gate<Client> {
  readonly #limiter: RateLimiter | null;
  readonly #admin: AdminGate;
  readonly #addressOf: (client: Client) => Uint8Array;

  /** `addressOf`: 4 or 16 bytes, none for a Unix-domain socket; asked only where it counts. */
  constructor(
    { limits: { ratePerSecond }, adminToken }: Pick<ServerConfig, "limits" | "adminToken">,
    addressOf: (client: Client) => Uint8Array,
  ) {
    this.#limiter = ratePerSecond === null ? null : new RateLimiter(ratePerSecond);
    this.#admin = new AdminGate(adminToken);
    this.#addressOf = addressOf;
  }

  /** What is refused of a request that is as HTTP has it; null: nothing. `authorization`: the field's value, "" without one. */
  refusalOf(client: Client, path: string, authorization: string): Refusal | null {
    if (this.#limiter !== null) {
      const retryAfterSeconds = this.#limiter.take(this.#addressOf(client), performance.now());
      if (retryAfterSeconds > 0) return tooManyRequests(retryAfterSeconds);
    }
    return isAdminPath(path) ? this.#admin.check(authorization, () => this.#addressOf(client)) : null;
  }
}
