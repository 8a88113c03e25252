import { type AddressInfo, createServer } from "node:net";
import { parentPort, workerData } from "node:worker_threads";

/** The server of the generator's warm-up, in a thread of its own: its sockets shall not be among those that V8 learns the generator's code from. */
const { keepAlive } = workerData as { readonly keepAlive: boolean };

const response = "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nHello, world!";
const server = createServer({ noDelay: true }, (socket) => {
  // The request is far shorter than a segment of the loopback device: every chunk is a whole one.
  socket.on("data", () => (keepAlive ? socket.write(response) : socket.end(response)));
  socket.on("error", () => {});
});
server.listen(0, "127.0.0.1", () => parentPort?.postMessage((server.address() as AddressInfo).port));
