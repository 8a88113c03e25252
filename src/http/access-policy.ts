import type { ServerConfig } from "../shared/config.js";
import { AdminPolicy, isAdminPath } from "./admin.js";
import type { RateLimiter } from "./rate-limiter.js";
import { type Refusal, tooManyRequests } from "./refusals.js";

/** What a head says of who asks for what. */
export interface Asked {
  /** The value of Authorization, "" without one. */
  readonly authorization: string;
  /** Valid; null without one. */
  readonly host: string | null;
}

/** Who gets to the core: a client within its rate, and to the metrics one that may see them. */
export class AccessPolicy<Client> {
  readonly #limiter: RateLimiter | null;
  /** On a port a client has an address, unless it has gone; on a Unix-domain socket all are one. */
  readonly #hasAddresses: boolean;
  readonly #admin: AdminPolicy;
  readonly #addressOf: (client: Client) => Uint8Array;

  /** Loads the limiter where there is a limit. `addressOf`: 4 or 16 bytes, none where it is not known; asked only where it counts. */
  static async create<Client>(
    config: Pick<ServerConfig, "limits" | "adminToken" | "unix" | "host">,
    addressOf: (client: Client) => Uint8Array,
  ): Promise<AccessPolicy<Client>> {
    const { ratePerSecond } = config.limits;
    if (ratePerSecond === null) return new AccessPolicy(config, addressOf, null);
    const { RateLimiter } = await import("./rate-limiter.js");
    return new AccessPolicy(config, addressOf, new RateLimiter(ratePerSecond));
  }

  private constructor(
    config: Pick<ServerConfig, "adminToken" | "unix" | "host">,
    addressOf: (client: Client) => Uint8Array,
    limiter: RateLimiter | null,
  ) {
    this.#limiter = limiter;
    this.#hasAddresses = config.unix === null;
    this.#admin = new AdminPolicy(config);
    this.#addressOf = addressOf;
  }

  /** What is refused of a request that is as HTTP has it; null: nothing. */
  refusalOf(client: Client, path: string, { authorization, host }: Asked): Refusal | null {
    if (this.#limiter !== null) {
      const retryAfterSeconds = this.#take(this.#limiter, this.#addressOf(client));
      if (retryAfterSeconds > 0) return tooManyRequests(retryAfterSeconds);
    }
    return isAdminPath(path) ? this.#admin.check(authorization, host, () => this.#addressOf(client)) : null;
  }

  #take(limiter: RateLimiter, address: Uint8Array): number {
    // Nobody is there to read an answer, and no limit can be kept.
    if (this.#hasAddresses && address.length === 0) return 1;
    return limiter.take(address, performance.now());
  }
}
