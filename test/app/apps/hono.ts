import { Hono } from "hono";
import { setCookie } from "hono/cookie";
import { streamSSE } from "hono/streaming";
import { go, gone, untilGo } from "./gate.js";

const app = new Hono();
app.get("/", (c) => c.text("hello"));
app.post("/echo", async (c) => c.json(await c.req.json()));
app.get("/cookies", (c) => {
  setCookie(c, "a", "1");
  setCookie(c, "b", "2");
  return c.body(null, 204);
});
app.get("/headers", (c) =>
  c.json({ agent: c.req.header("user-agent"), twice: c.req.header("x-twice"), url: c.req.url }),
);
app.get("/events", (c) =>
  streamSSE(c, async (stream) => {
    stream.onAbort(() => {
      gone.count++;
    });
    await stream.writeSSE({ data: "first" });
    await untilGo();
    await stream.writeSSE({ data: "second" });
  }),
);
app.get("/go", (c) => {
  go();
  return c.text("gone on");
});
app.get("/gone", (c) => c.json(gone.count));
app.get("/fails", () => {
  throw new Error("on purpose");
});

export default app;
