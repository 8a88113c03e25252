import { Server as HttpServer } from "node:http";
import { Server as HttpsServer } from "node:https";
import type { AppStyle } from "../shared/app-style.js";
import type { FetchHandler } from "./adapters/fetch/fetch-style.js";
import type { RequestListener } from "./adapters/node/node-style.js";
import type { Exports } from "./exports.js";

/** What a module is to be called by. */
export type Recognised =
  | { readonly style: "fetch"; readonly fetch: FetchHandler }
  /** `ready` is awaited first. */
  | { readonly style: "node"; readonly listener: RequestListener; readonly ready: (() => unknown) | null }
  | { readonly style: "handlers"; readonly handlers: unknown };

/** Recognises an application by what its module exports; null: by nothing. `style` leaves only one to look for; null: any. */
export async function recognise(exports: Exports, style: AppStyle | null): Promise<Recognised | null> {
  const handlers = exports.named("handlers");
  const isHandlers = handlers !== undefined && (style === null || style === "handlers");
  if (isHandlers) return { style: "handlers", handlers };
  if (style === "handlers" || style === "listen") return null;
  const named = style === "node" ? ["app", "server"] : ["app", "server", "fetch"];
  for (const candidate of [exports.main, ...named.map(exports.named)]) {
    const found = recogniseOne(candidate, style) ?? recogniseOne(await settled(candidate), style);
    if (found !== null) return found;
  }
  return null;
}

/** An application may be made by an asynchronous function, and its promise exported. Fastify's are promises of themselves. */
async function settled(candidate: unknown): Promise<unknown> {
  return isObject(candidate) && typeof candidate["then"] === "function" ? await candidate : null;
}

function recogniseOne(candidate: unknown, style: AppStyle | null): Recognised | null {
  if (typeof candidate !== "function" && !isObject(candidate)) return null;
  const isFetchAllowed = style === null || style === "fetch";
  const isNodeAllowed = style === null || style === "node";
  const { fetch } = candidate as { fetch?: unknown };
  if (isFetchAllowed && typeof fetch === "function") {
    return {
      style: "fetch",
      fetch: (request, env, context) => Reflect.apply(fetch, candidate, [request, env, context]),
    };
  }
  if (isNodeAllowed) {
    const listener = listenerOf(candidate);
    if (listener !== null) return { style: "node", ...listener };
  }
  if (typeof candidate !== "function") return null;
  // Express and Connect: a function with methods.
  const isApplication = ["use", "handle", "listen"].some((name) => typeof Reflect.get(candidate, name) === "function");
  const takesResponse = isApplication || candidate.length >= 2;
  if (isNodeAllowed && (takesResponse || style === "node")) {
    return { style: "node", listener: candidate as RequestListener, ready: null };
  }
  if (isFetchAllowed && !isApplication) return { style: "fetch", fetch: candidate as FetchHandler };
  return null;
}

type Listener = Omit<Extract<Recognised, { style: "node" }>, "style">;

/** What frameworks have beside `listen` to be called by. */
function listenerOf(candidate: object): Listener | null {
  if (candidate instanceof HttpServer || candidate instanceof HttpsServer) return listenerOfServer(candidate);
  const { routing, ready, callback, handler, listen } = candidate as Readonly<Record<string, unknown>>;
  const call = (method: (...args: never) => unknown): RequestListener =>
    Reflect.apply(Function.prototype.bind, method, [candidate]) as RequestListener;
  // Fastify
  if (isFunction(routing) && isFunction(ready))
    return { listener: call(routing), ready: () => Reflect.apply(ready, candidate, []) };
  // Koa
  if (isFunction(callback) && isFunction(listen))
    return { listener: Reflect.apply(callback, candidate, []), ready: null };
  // Polka
  if (isFunction(handler) && isFunction(listen)) return { listener: call(handler), ready: null };
  return null;
}

/** What a server calls for each request; a listener that is added later is called too. What they return is a promise, or nothing. */
export function listenerOfServer(server: HttpServer | HttpsServer): Listener {
  return {
    listener: (request, response) => {
      const listeners = server.listeners("request");
      const [only] = listeners;
      if (listeners.length === 1) return Reflect.apply(only!, server, [request, response]);
      return Promise.all(listeners.map((listener) => Reflect.apply(listener, server, [request, response])));
    },
    ready: null,
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

// biome-ignore lint/suspicious/noExplicitAny: of the user's
function isFunction(value: unknown): value is (...args: any[]) => any {
  return typeof value === "function";
}
