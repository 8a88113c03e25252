import { Readable } from "node:stream";
import { json } from "node:stream/consumers";
import Koa from "koa";
import { go, gone, untilGo } from "./gate.ts";

async function* events() {
  yield "data: first\n\n";
  await untilGo();
  yield "data: second\n\n";
}

const app = new Koa();
// Its way to be quiet about what it answers with 500.
app.silent = true;
app.use(async (context) => {
  switch (`${context.method} ${context.path}`) {
    case "GET /":
    case "HEAD /":
      context.body = "hello";
      break;
    case "POST /echo":
      context.body = await json(context.req);
      break;
    case "GET /cookies":
      context.set("Set-Cookie", ["a=1", "b=2"]);
      context.status = 204;
      break;
    case "GET /headers":
      context.body = { agent: context.get("user-agent"), twice: context.get("x-twice"), url: context.href };
      break;
    case "GET /events":
      context.type = "text/event-stream";
      context.body = Readable.from(events());
      context.res.on("close", () => {
        if (!context.res.writableFinished) gone.count++;
      });
      break;
    case "GET /go":
      go();
      context.body = "gone on";
      break;
    case "GET /gone":
      context.body = String(gone.count);
      break;
    case "GET /fails":
      throw new Error("on purpose");
  }
});

export default app;
