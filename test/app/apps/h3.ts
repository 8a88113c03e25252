import { createEventStream, H3, readBody, setCookie } from "h3";
import { go, gone, untilGo } from "./gate.js";

const app = new H3();
app.get("/", () => "hello");
app.post("/echo", async (event) => await readBody(event));
app.get("/cookies", (event) => {
  setCookie(event, "a", "1");
  setCookie(event, "b", "2");
  event.res.status = 204;
  return null;
});
app.get("/headers", (event) => ({
  agent: event.req.headers.get("user-agent"),
  twice: event.req.headers.get("x-twice"),
  url: event.req.url,
}));
app.get("/events", (event) => {
  const stream = createEventStream(event);
  let isWhole = false;
  stream.onClosed(() => {
    if (!isWhole) gone.count++;
  });
  const send = async (): Promise<void> => {
    await stream.push("first");
    await untilGo();
    await stream.push("second");
    isWhole = true;
    await stream.close();
  };
  void send();
  return stream.send();
});
app.get("/go", () => {
  go();
  return "gone on";
});
app.get("/gone", () => gone.count);
app.get("/fails", () => {
  throw new Error("on purpose");
});

export default app;
