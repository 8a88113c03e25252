import type { Express, NextFunction, Request, Response } from "express";
import { go, gone, untilGo } from "./gate.js";

/** What both versions of Express can do. */
interface Framework {
  (): Express;
  json(): (request: Request, response: Response, next: NextFunction) => void;
}

export function expressApp(express: Framework): Express {
  const app = express();
  app.get("/", (_, response) => {
    response.send("hello");
  });
  app.post("/echo", express.json(), (request, response) => {
    response.json(request.body);
  });
  app.get("/cookies", (_, response) => {
    response.cookie("a", "1").cookie("b", "2").status(204).end();
  });
  app.get("/headers", (request, response) => {
    const url = `${request.protocol}://${request.get("host")}${request.originalUrl}`;
    response.json({ agent: request.get("user-agent"), twice: request.get("x-twice"), url });
  });
  app.get("/events", async (request, response) => {
    request.on("close", () => {
      if (!response.writableEnded) gone.count++;
    });
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.write("data: first\n\n");
    await untilGo();
    response.end("data: second\n\n");
  });
  app.get("/file", (_, response) => {
    response.sendFile(import.meta.filename);
  });
  app.get("/go", (_, response) => {
    go();
    response.send("gone on");
  });
  app.get("/gone", (_, response) => {
    response.json(gone.count);
  });
  app.get("/fails", () => {
    throw new Error("on purpose");
  });
  return app;
}
