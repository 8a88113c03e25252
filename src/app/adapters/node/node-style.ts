import type { IncomingMessage, ServerResponse } from "node:http";
import type { Handler, HandlerRequest, HandlerResult } from "../../../shared/handlers/handler.js";
import { ServerRequest } from "../../../shared/handlers/request.js";
import type { Exchange } from "./exchange.js";
import { incomingOf } from "./incoming.js";
import { outgoingFor } from "./outgoing.js";
import { StandInSocket } from "./stand-in-socket.js";

/** What Node's servers call for each request: Express and Connect are such functions, Koa and Fastify make one. */
export type RequestListener = (request: IncomingMessage, response: ServerResponse) => unknown;

/** A handler for all paths and methods from a listener of Node's servers. Without a promise where the listener answers at once. */
export function nodeStyle(listener: RequestListener, scheme: "http" | "https"): Handler {
  const encrypted = scheme === "https";
  const handle = (request: HandlerRequest): HandlerResult | Promise<HandlerResult> => {
    let result: HandlerResult | null = null;
    let failure: Error | null = null;
    let resolve: ((result: HandlerResult) => void) | undefined;
    let reject: ((error: unknown) => void) | undefined;
    const socket = new StandInSocket(encrypted, request.remoteAddress, (error) =>
      exchange.fail(error ?? new Error("the application destroyed its connection")),
    );
    const exchange: Exchange = outgoingFor(incomingOf(request, socket), socket, {
      onResult: (made) => {
        result = made;
        resolve?.(made);
      },
      onFailed: (error) => {
        failure = error;
        reject?.(error);
      },
    });
    const returned = listener(exchange.request, exchange.response);
    if (result !== null) return result;
    return new Promise((fulfil, refuse) => {
      if (failure !== null) refuse(failure);
      resolve = fulfil;
      reject = refuse;
      whenGone(request, exchange);
      // Node would let it be an unhandled rejection and leave the client waiting.
      if (isThenable(returned)) returned.then(undefined, (error: unknown) => failedWith(error, exchange, refuse));
    });
  };
  return Object.assign(handle, { headers: "all", methods: "all" } as const);
}

/** What was sent already cannot be taken back: a stream is cut. */
function failedWith(error: unknown, exchange: Exchange, refuse: (error: unknown) => void): void {
  refuse(error);
  if (!exchange.response.writableEnded) exchange.fail(error instanceof Error ? error : new Error(String(error)));
}

function whenGone(request: HandlerRequest, exchange: Exchange): void {
  if (request instanceof ServerRequest) request.whenGone(() => exchange.fail(new Error("the client has gone")));
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}
