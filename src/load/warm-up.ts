import { type AddressInfo, createServer } from "node:net";
import type { LoadOptions } from "./options.js";
import { run } from "./run.js";

/** After so many requests further ones made it no faster (bench/generator); without them 100,000 requests took 5% longer, the first 30 ms. */
const REQUESTS = 5000;
const CONNECTIONS = 50;

/**
 * Lets V8 compile the generator before anything is measured, against a server of this process that is gone afterwards: the server
 * to be measured sees none of it, so that its counts stay those of the run.
 */
export async function warmUpGenerator({ keepAlive, timeoutMs }: LoadOptions, signal?: AbortSignal): Promise<void> {
  const response = "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nHello, world!";
  const server = createServer({ noDelay: true }, (socket) => {
    // The request is far shorter than a segment of the loopback device: every chunk is a whole one.
    socket.on("data", () => (keepAlive ? socket.write(response) : socket.end(response)));
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  try {
    const { port } = server.address() as AddressInfo;
    const authority = `127.0.0.1:${port}`;
    const target = { url: `http://${authority}/`, host: "127.0.0.1", port, path: "/", authority };
    const options = { target, requests: REQUESTS, concurrency: CONNECTIONS, keepAlive, timeoutMs, headers: [] };
    await run({ ...options, byFirstByte: false }, signal);
  } finally {
    server.close();
  }
}
