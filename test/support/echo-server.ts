import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";

/** A request as the server got it. */
export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** What a server answers; "ok" without one. */
export type Answering = (received: Received) => {
  readonly status?: number;
  readonly body?: string;
  readonly headers?: Record<string, string>;
};

interface Place {
  /** Listens on a Unix-domain socket. */
  readonly socketPath?: string;
  /** Speaks TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** A node:http server that keeps every request it gets; it is gone afterwards. */
export async function withEchoServer<T>(
  answer: Answering,
  use: (server: { readonly port: number; readonly received: readonly Received[] }) => Promise<T>,
  { socketPath, tls }: Place = {},
): Promise<T> {
  const received: Received[] = [];
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const one = { method: request.method!, url: request.url!, headers: request.headers, body: Buffer.concat(chunks) };
      received.push(one);
      const { status = 200, body = "ok", headers = {} } = answer(one);
      response.writeHead(status, headers).end(body);
    });
  };
  const server: Server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  await new Promise<void>((resolve) => {
    if (socketPath === undefined) server.listen(0, "127.0.0.1", resolve);
    else server.listen(socketPath, resolve);
  });
  try {
    const address = server.address();
    return await use({ port: typeof address === "string" ? 0 : (address as AddressInfo).port, received });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
