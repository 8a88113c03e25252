import { connect, type Socket } from "node:net";

/** A socket that speaks what it is told, for what no HTTP client would send or show. */
export class RawClient {
  readonly socket: Socket;
  #text = "";
  #wake = (): void => {};
  #closed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => {
      this.#text += chunk;
      this.#wake();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#closed = true;
      this.#wake();
    });
  }

  /** `place`: a port, or the path of a Unix-domain socket. */
  static open(place: number | string, host = "127.0.0.1"): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const to = typeof place === "number" ? { host, port: place } : { path: place };
      const socket = connect(to, () => resolve(new RawClient(socket)));
      socket.once("error", reject);
    });
  }

  send(text: string): void {
    this.socket.write(text, "latin1");
  }

  /** Resolves with all that has arrived once `enough` says so, or when the peer has closed. */
  async receive(enough: (text: string) => boolean): Promise<string> {
    while (!enough(this.#text) && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const text = this.#text;
    this.#text = "";
    return text;
  }

  /** Resolves with what is left when the peer has closed. */
  receiveToEnd(): Promise<string> {
    return this.receive(() => false);
  }
}
