import type { Handler, HandlerRequest, HandlerResult } from "../../../shared/handlers/handler.js";
import { Origins } from "./href.js";
import { requestOf } from "./light-request.js";
import { resultOf } from "./response.js";

/** What answers a Request of the Fetch standard, as Hono, h3, itty-router and Cloudflare's workers do. */
export type FetchHandler = (request: Request, env: object, context: ExecutionContext) => unknown;

/** What Cloudflare's workers have as a third parameter. */
interface ExecutionContext {
  waitUntil(promise: unknown): void;
  passThroughOnException(): void;
}

/** What is not awaited goes on by itself here, and its failure is an unhandled rejection, which is counted. */
const CONTEXT: ExecutionContext = { waitUntil: () => {}, passThroughOnException: () => {} };

/** A handler for all paths and methods from a function of the Fetch standard. */
export function fetchStyle(fetch: FetchHandler, scheme: "http" | "https"): Handler {
  const origins = new Origins(scheme);
  const handle = (request: HandlerRequest): HandlerResult | Promise<HandlerResult> => {
    const isHead = request.method === "HEAD";
    const response = fetch(requestOf(request, origins.of(hostOf(request.fields))), {}, CONTEXT);
    return isThenable(response) ? response.then((late) => resultOf(late, isHead)) : resultOf(response, isHead);
  };
  return Object.assign(handle, { headers: "all", methods: "all" } as const);
}

function hostOf(fields: readonly string[]): string | undefined {
  // Most clients send it first.
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === "host") return fields[i + 1];
  return undefined;
}

function isThenable(value: unknown): value is Promise<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}
