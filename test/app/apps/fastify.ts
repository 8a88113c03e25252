import Fastify from "fastify";
import { go, gone, untilGo } from "./gate.js";

const app = Fastify();
app.get("/", async (_, reply) => {
  reply.type("text/plain");
  return "hello";
});
app.post("/echo", async (request) => request.body);
app.get("/cookies", async (_, reply) => {
  reply.header("Set-Cookie", ["a=1", "b=2"]).code(204);
});
app.get("/headers", async (request) => ({
  agent: request.headers["user-agent"],
  twice: request.headers["x-twice"],
  url: `${request.protocol}://${request.host}${request.url}`,
}));
app.get("/events", async (request, reply) => {
  reply.hijack();
  const { raw } = reply;
  request.raw.on("close", () => {
    if (!raw.writableEnded) gone.count++;
  });
  raw.writeHead(200, { "Content-Type": "text/event-stream" });
  raw.write("data: first\n\n");
  await untilGo();
  raw.end("data: second\n\n");
});
app.get("/go", async () => {
  go();
  return "gone on";
});
app.get("/gone", async () => gone.count);
app.get("/fails", async () => {
  throw new Error("on purpose");
});

export default app;
