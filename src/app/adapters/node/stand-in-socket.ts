import { EventEmitter } from "node:events";

/**
 * In place of the connection, which is in another thread or another library's. Applications look at it to see whether the exchange is still
 * open, whether it is encrypted, and where the client is; the client's port does not come here.
 */
export class StandInSocket extends EventEmitter {
  readonly encrypted: boolean;
  readable = true;
  writable = true;
  destroyed = false;
  readonly writableLength = 0;
  readonly remoteAddress: string | undefined;
  readonly remotePort = undefined;
  readonly #onDestroyed: (error?: Error) => void;

  constructor(encrypted: boolean, remoteAddress: string, onDestroyed: (error?: Error) => void) {
    super();
    this.encrypted = encrypted;
    this.remoteAddress = remoteAddress === "" ? undefined : remoteAddress;
    this.#onDestroyed = onDestroyed;
  }

  destroy(error?: Error): this {
    if (this.destroyed) return this;
    this.closed();
    this.#onDestroyed(error);
    return this;
  }

  /** The exchange is over. */
  closed(): void {
    this.destroyed = true;
    this.readable = false;
    this.writable = false;
    this.emit("close");
  }

  setTimeout(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
  address(): object {
    return {};
  }
  write(): boolean {
    return false;
  }
  end(): this {
    return this;
  }
}
