import type { Socket } from "node:net";
import { Counter } from "../../shared/stats/stats.js";
import type { AdapterState } from "../state.js";
import { Connection } from "./connection.js";

/** The connections of one adapter, from accept to close. */
export class Connections {
  readonly #adapter: AdapterState;
  readonly #isTls: boolean;
  /** All that are open; with TLS the ones beneath it. */
  readonly #open = new Set<Socket>();
  /** By the socket that requests come from. */
  readonly #connections = new WeakMap<Socket, Connection>();

  constructor(adapter: AdapterState, isTls: boolean) {
    this.#adapter = adapter;
    this.#isTls = isTls;
  }

  /** One was accepted. One too many is told so and closed; with TLS there is nobody to tell yet. */
  add(socket: Socket): void {
    const { stats, capacity } = this.#adapter;
    stats.add(Counter.connectionsOpened, 1);
    this.#open.add(socket);
    socket.once("close", () => {
      stats.add(Counter.connectionsClosed, 1);
      capacity.disconnect();
      this.#open.delete(socket);
    });
    const isTaken = capacity.connect();
    if (!isTaken) stats.add(Counter.limitConnections, 1);
    if (this.#isTls) {
      if (!isTaken) socket.destroy();
      return;
    }
    const connection = this.of(socket);
    if (!isTaken) connection.turnAway();
  }

  /** The handshake of one is done. */
  secured(socket: Socket): void {
    this.of(socket);
  }

  /** Known as soon as requests may come: its client's address is only to be had while the client is there. */
  of(socket: Socket): Connection {
    let connection = this.#connections.get(socket);
    if (connection === undefined) {
      connection = new Connection(socket, this.#adapter);
      this.#connections.set(socket, connection);
    }
    return connection;
  }

  destroyAll(): void {
    for (const socket of this.#open) socket.destroy();
  }
}
