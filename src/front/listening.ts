import { createServer } from "node:net";
import type { ServerConfig } from "../shared/config.js";
import { LoopoolError, messageOf } from "../shared/errors.js";

/** Where a front is to listen, and whether it speaks TLS there. */
export type Listening = Pick<ServerConfig, "host" | "port" | "unix" | "tls">;

/** The same for Node's servers. A second server on the same port is refused: half of the requests would go astray. */
export function listenOptions({ host, port, unix }: Listening) {
  if (unix !== null) return { path: unix.path, exclusive: true };
  return { port, exclusive: true, ...(host === null ? {} : { host }) };
}

/** Where to reach a server that listens there; `port` is the one that it has. */
export function urlOf({ host, unix, tls }: Listening, port: number): string {
  if (unix !== null) return `unix:${unix.path}`;
  return `${tls === null ? "http" : "https"}://${urlHost(host)}:${port}`;
}

function urlHost(host: string | null): string {
  if (host === null) return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}

/** For a library that only says that it could not listen: the system, asked again through Node, says why. */
export async function whyNot(listening: Listening): Promise<LoopoolError> {
  const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    const probe = createServer();
    probe.once("error", resolve);
    probe.listen(listenOptions(listening), () => probe.close(() => resolve(undefined)));
  });
  return listenError(listening, error);
}

/** What a user can do about it. */
export function listenError({ host, port, unix }: Listening, error: NodeJS.ErrnoException | undefined): LoopoolError {
  if (unix !== null) {
    const cause = error === undefined ? "the system refuses it" : messageOf(error);
    return new LoopoolError(
      "UNIX_REFUSED",
      `--unix ${unix.path} cannot be listened on (${cause}): name a path in a folder that this user may write to`,
    );
  }
  switch (error?.code) {
    case "EACCES":
      return new LoopoolError("PORT_FORBIDDEN", `port ${port} needs privileges: choose one above 1023 with --port`);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new LoopoolError("HOST_UNKNOWN", `--host ${host} is not an address of this machine (${messageOf(error)})`);
    default:
      return new LoopoolError(
        "PORT_IN_USE",
        `port ${port} is in use: choose another with --port, or stop the process that listens there (ss -ltnp 'sport = :${port}' shows it)`,
      );
  }
}
