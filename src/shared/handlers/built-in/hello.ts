import { type Handler, type HandlerResponse, PLAIN_TEXT } from "../handler.js";

const greeting: HandlerResponse = {
  status: 200,
  headers: PLAIN_TEXT,
  body: new TextEncoder().encode("Hello, world!\n"),
};

/** `/hello`: the cheapest answer there is, for measuring everything but the handler. */
export const hello: Handler = () => greeting;
