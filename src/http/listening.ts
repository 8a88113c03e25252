import { createServer } from "node:net";
import type { ServerConfig } from "../shared/config.js";
import { LoopoolError, messageOf } from "../shared/errors.js";

/** Where an adapter is to listen, and whether it speaks TLS there. */
export type Listening = Pick<ServerConfig, "host" | "port" | "unix" | "tls">;

/** The port as Node's servers want it. Nobody else may share it: half of the requests would go astray. */
export function portOptions({ host, port }: Listening) {
  return { port, exclusive: true, ...(host === null ? {} : { host }) };
}

/** Where to reach a server that listens there; `port` is the one that it has. */
export function urlOf({ host, unix, tls }: Listening, port: number): string {
  if (unix !== null) return `unix:${unix.path}`;
  return `${tls === null ? "http" : "https"}://${urlHost(host)}:${port}`;
}

/** A host as URLs have it. */
export function urlHost(host: string | null): string {
  if (host === null) return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}

/** For a library that only says that it could not have a port: the system, asked again through Node, says why. */
export async function whyNot(listening: Listening): Promise<LoopoolError> {
  const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    const probe = createServer();
    probe.once("error", resolve);
    probe.listen(portOptions(listening), () => probe.close(() => resolve(undefined)));
  });
  return portError(listening, error);
}

/** What a user can do about a port that cannot be had. */
export function portError({ host, port }: Listening, error: NodeJS.ErrnoException | undefined): LoopoolError {
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
