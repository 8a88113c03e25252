import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { type LoadOptions, targetOf } from "../../../src/harness/load/request/options.js";
import { errorClasses, type RunResult } from "../../../src/harness/load/result/run-result.js";
import { startGenerator } from "../../../src/harness/load/start.js";

export type Settings = Partial<LoadOptions> & { readonly path?: string; readonly threads?: number };

export const good = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

/** Runs against a server that does with each connection what `behave` says, and ends the server. */
export async function against(
  server: Server,
  { threads = 1, ...settings }: Settings = {},
  signal?: AbortSignal,
): Promise<RunResult> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const generator = startGenerator(threads);
  try {
    return await generator.run(optionsFor((server.address() as AddressInfo).port, settings), signal);
  } finally {
    await generator.close();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

export function optionsFor(port: number, { path = "/", ...settings }: Omit<Settings, "threads">): LoadOptions {
  return {
    target: targetOf(`http://127.0.0.1:${port}${path}`),
    requests: 20,
    concurrency: 4,
    keepAlive: true,
    timeoutMs: 10_000,
    headers: [],
    byFirstByte: false,
    // In an open loop: times that a test can reckon with.
    arrivals: "even",
    ...settings,
  };
}

/** A server that answers each request on each connection by calling `answer` with the socket and the request's number on it. */
export function liar(answer: (socket: Socket, request: number) => void): Server {
  return createServer((socket) => {
    let count = 0;
    socket.on("data", (chunk) => {
      for (const _ of chunk.toString("latin1").matchAll(/\r\n\r\n/g)) answer(socket, count++);
    });
  });
}

export function accountedFor(result: Pick<RunResult, "completed" | "errors">): number {
  return result.completed + errorClasses.reduce((sum, name) => sum + result.errors[name], 0);
}

/** A port of 127.0.0.1 on which nothing listens. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
