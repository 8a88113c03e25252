import type { Client } from "./stream.js";

/** µWS closes the connection of a response that waits for its reader after 8 to 12 s: 10 s on a clock of 4 s. */
const UWS_TIMEOUT_MS = 8000;

/** A response whose body is being taken by its client. */
export interface WatchedClient extends Pick<Client, "takenBytes"> {
  /** Closes its connection, which counts it as gone. */
  cut(): void;
}

/** Ends responses whose clients take nothing any more. */
export class SlowReaders {
  readonly #limitMs: number;
  readonly #nowMs: () => number;
  readonly #clients = new Map<WatchedClient, { takenBytes: number; sinceMs: number }>();

  constructor(limitMs: number, nowMs: () => number = () => performance.now()) {
    this.#limitMs = limitMs;
    this.#nowMs = nowMs;
  }

  /** How often to look. */
  get intervalMs(): number {
    return Math.min(1000, this.#limitMs / 4);
  }

  watch(client: WatchedClient): void {
    this.#clients.set(client, { takenBytes: client.takenBytes, sinceMs: this.#nowMs() });
  }

  forget(client: WatchedClient): void {
    if (this.#clients.size > 0) this.#clients.delete(client);
  }

  /** Whether a client that has gone, by itself or cut off, had taken nothing for so long. */
  isSlow(client: WatchedClient): boolean {
    const progress = this.#clients.get(client);
    if (progress === undefined || client.takenBytes !== progress.takenBytes) return false;
    return this.#nowMs() - progress.sinceMs >= Math.min(this.#limitMs, UWS_TIMEOUT_MS);
  }

  look(): void {
    const nowMs = this.#nowMs();
    for (const [client, progress] of this.#clients) {
      if (client.takenBytes !== progress.takenBytes) {
        progress.takenBytes = client.takenBytes;
        progress.sinceMs = nowMs;
      } else if (nowMs - progress.sinceMs >= this.#limitMs) {
        client.cut();
      }
    }
  }
}
