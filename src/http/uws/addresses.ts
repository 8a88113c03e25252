import type { HttpResponse } from "uWebSockets.js";

/** 4 or 16 bytes; none for a client that has reset its connection, and on a Unix-domain socket. */
export function remoteAddress(res: HttpResponse): Uint8Array {
  return new Uint8Array(res.getRemoteAddress());
}

/**
 * Client addresses. One costs a system call and an ArrayBuffer for each request (0.65 µs), and µWS has no place to keep something with a
 * connection. So it is asked only while connections of several addresses are open; behind a proxy on the same machine that is never.
 */
export class Addresses {
  #connections = 0;
  /** That of all connections open now; null: they differ. */
  #only: Uint8Array | null = null;

  /** A connection was opened. */
  connected(res: HttpResponse): void {
    const address = remoteAddress(res);
    // It has gone already. Of its requests each is to be asked for, and has none either.
    if (address.length === 0) this.#only = null;
    else if (this.#connections === 0) this.#only = address;
    else if (this.#only !== null && Buffer.compare(this.#only, address) !== 0) this.#only = null;
    this.#connections++;
  }

  /** One was closed. Which one can no longer be asked, so those that differ do so until all are closed. */
  disconnected(): void {
    this.#connections--;
  }

  /** The address of a request's client, none where it has gone; before the µWS handler returns. */
  of(res: HttpResponse): Uint8Array {
    return this.#only ?? remoteAddress(res);
  }
}
