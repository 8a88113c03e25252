import { loadUws } from "../src/http/uws/load.js";

/**
 * The cheapest server there is to measure a generator against: µWebSockets.js and one constant body, nothing of loopool.
 * `node dist/bench/bare-server.js [BODY_BYTES]` prints the line of `loopool serve` and runs until it is ended.
 */
const { uws } = await loadUws(16_384);
const body = "Hello, world!".padEnd(Number(process.argv[2] ?? 0), " ");

uws
  .App()
  .get("/*", (response) => {
    response.end(body);
  })
  .listen("127.0.0.1", 0, (socket) => {
    if (socket === false) throw new Error("no free port on 127.0.0.1");
    console.log(`loopool bare listening on http://127.0.0.1:${uws.us_socket_local_port(socket)} pid ${process.pid}`);
  });
