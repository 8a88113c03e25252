import { Server as HttpServer } from "node:http";
import { Server as HttpsServer } from "node:https";
import { Server as NetServer } from "node:net";

type WebServer = HttpServer | HttpsServer;

/** What is caught of an application that opens its own port. */
export interface Capture {
  /** The first server of HTTP that was told to listen. */
  readonly server: WebServer | null;
  /** A server that cannot be used was told to listen: what it is. */
  readonly unusable: string | null;
  /** Calls back once, when `server` is there; at once where it is. */
  whenCaptured(callback: () => void): void;
  /** Servers open their ports again. */
  end(): void;
}

/**
 * From now on a server of HTTP that is told to listen opens no port: it says that it listens, and is kept. A thread of loopool's is one of
 * several that run the same application, and its requests come from loopool.
 */
export function captureListening(): Capture {
  const { prototype } = NetServer;
  const { listen } = prototype;
  let server: WebServer | null = null;
  let unusable: string | null = null;
  let onCaptured: (() => void) | null = null;
  const captured = function (this: NetServer, ...args: unknown[]): NetServer {
    if (!(this instanceof HttpServer || this instanceof HttpsServer)) {
      const name = String(this.constructor.name);
      if (name.startsWith("Http2")) unusable ??= "HTTP/2";
      return Reflect.apply(listen, this, args);
    }
    server ??= this;
    pretend(this, args);
    onCaptured?.();
    return this;
  };
  prototype.listen = captured;
  return {
    get server() {
      return server;
    },
    get unusable() {
      return unusable;
    },
    whenCaptured(callback) {
      onCaptured = callback;
      if (server !== null) callback();
    },
    end() {
      // Somebody else may have put theirs over it.
      if (prototype.listen === captured) prototype.listen = listen;
    },
  };
}

/** What an application sees of a server that listens. */
function pretend(server: WebServer, args: readonly unknown[]): void {
  const callback = args.find((argument) => typeof argument === "function");
  if (callback !== undefined) server.once("listening", callback as () => void);
  Object.defineProperty(server, "listening", { value: true, configurable: true, writable: true });
  server.address = () => ({ address: "127.0.0.1", family: "IPv4", port: portIn(args) });
  server.close = (done) => {
    if (done !== undefined) server.once("close", () => done());
    process.nextTick(() => server.emit("close"));
    return server;
  };
  process.nextTick(() => server.emit("listening"));
}

/** Of `listen(8080)`, `listen("8080")` and `listen({ port: 8080 })`; 0: none. */
function portIn([first]: readonly unknown[]): number {
  const port = typeof first === "object" && first !== null ? (first as { port?: unknown }).port : first;
  return Number.isInteger(Number(port)) ? Number(port) : 0;
}
