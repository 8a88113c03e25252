const { createServer } = require("node:http");
const { setTimeout: delay } = require("node:timers/promises");

/** As most applications are: it exports nothing, connects to something first, and then listens on its own port. */
async function main() {
  await delay(30);
  const server = createServer((request, response) => {
    response.setHeader("X-Said", said);
    response.end(request.method === "POST" ? "posted" : "hello");
  });
  let said = "";
  server.listen(80, "0.0.0.0", () => {
    said = `listening on ${server.address().port}`;
  });
}

main();
