import type { Tools } from "../../app/around.js";
import type { ServerConfig } from "../config.js";
import { failureLogOf } from "../failure-log.js";
import { cpu } from "../handlers/built-in/cpu.js";
import { hello } from "../handlers/built-in/hello.js";
import { metrics } from "../handlers/built-in/metrics.js";
import { mixed } from "../handlers/built-in/mixed.js";
import { sleep } from "../handlers/built-in/sleep.js";
import { stats } from "../handlers/built-in/stats.js";
import type { HandlerContext } from "../handlers/context.js";
import {
  BadRequest,
  type Dispatch,
  type Handler,
  type HandlerRequest,
  type HandlerResponse,
  textResponse,
} from "../handlers/handler.js";
import { promiseOf, responseOf } from "../handlers/result.js";
import { BadResult } from "../handlers/result-error.js";
import { GET_ONLY, type Route, type RouteTable } from "../handlers/route.js";
import { withErrorPage } from "../static/error-page.js";
import { staticFiles } from "../static/static.js";
import { Counter, type ThreadStats } from "../stats/stats.js";
import { discard } from "./discard.js";
import type { OwnHandlers } from "./import-handlers.js";
import { loadUserCode, type UserCode } from "./user-code.js";

/**
 * All handlers of one thread behind one function that never throws and never rejects: the same in every core.
 * The user's handlers come before the built-in ones; what has no handler is a file, or the application's where that takes every path: then
 * only the metrics are loopool's.
 */
export async function createDispatch(
  context: HandlerContext,
  failures = failureLogOf(context.shared.config),
): Promise<Dispatch> {
  const { config } = context.shared;
  const userCode = await loadUserCode(context, failures);
  const { own, partsOf } = userCode;
  const metricsOnly = { "/stats.json": stats(context), "/metrics": metrics(context) };
  const builtIn =
    own.fallback === null
      ? { "/hello": hello, "/cpu": cpu(context), "/sleep": sleep, "/mixed": mixed(context), ...metricsOnly }
      : metricsOnly;
  const byPath = new Map<string, Handler>(Object.entries({ ...builtIn, ...own.byPath }));
  const fallback = own.fallback ?? staticFiles(context);
  const fallbackName = own.fallback === null ? "the handler of files" : "the application";
  const serverError = await withErrorPage(SERVER_ERROR, config);

  const failed = (path: string, error: unknown): HandlerResponse => {
    const kind = kindOf(error);
    if (kind === "bad request") return textResponse(400, `400 Bad Request: ${(error as BadRequest).message}`);
    context.stats.add(Counter.handlerErrors, 1);
    const handler = byPath.has(path) ? path : fallbackName;
    if (kind === "bad result") failures.add(`${handler} returned ${(error as BadResult).message}`);
    else failures.add(`${handler} failed`, error);
    return serverError;
  };
  const later = async (request: HandlerRequest, result: Promise<unknown>): Promise<HandlerResponse> => {
    try {
      return responseOf(await result, partsOf);
    } catch (error) {
      // What was stopped because its client has gone has not failed, and nobody gets the answer.
      return request.signal.aborted ? serverError : failed(request.path, error);
    }
  };
  const dispatch = (request: HandlerRequest): HandlerResponse | Promise<HandlerResponse> => {
    const { path } = request;
    context.stats.add(Counter.handled, 1);
    try {
      const result: unknown = (byPath.get(path) ?? fallback)(request);
      const promise = promiseOf(result);
      return promise === null ? responseOf(result, partsOf) : later(request, promise);
    } catch (error) {
      return failed(path, error);
    }
  };
  const surrounded = await withPlugins(dispatch, userCode, {
    responseOf: (result) => responseOf(result, partsOf),
    discard: (response) => discard(response, context.cache),
    failed: (what, error) => {
      context.stats.add(Counter.handlerErrors, 1);
      failures.add(what, error);
      return serverError;
    },
  });
  const routes = routeTable(byPath, fallback, userCode);
  return Object.assign(surrounded, { routes, unsendable: failed, close: async () => userCode.close?.() });
}

type Answer = (request: HandlerRequest) => HandlerResponse | Promise<HandlerResponse>;

/** loopool's own metrics are not surrounded: in a core with workers they do not come here. */
async function withPlugins(answer: Answer, { own, plugins }: UserCode, tools: Tools): Promise<Answer> {
  if (plugins.length === 0) return answer;
  const { around } = await import("../../app/around.js");
  const surrounded = around(answer, plugins, tools);
  return (request) => (isOwnMetrics(request.path, own) ? answer(request) : surrounded(request));
}

function isOwnMetrics(path: string, { byPath }: OwnHandlers): boolean {
  return (path === "/stats.json" || path === "/metrics") && !Object.hasOwn(byPath, path);
}

/** What a thrown value is to the dispatcher. Even to ask for its class may throw: of a Proxy. */
function kindOf(thrown: unknown): "bad request" | "bad result" | "failure" {
  try {
    if (thrown instanceof BadRequest) return "bad request";
    return thrown instanceof BadResult ? "bad result" : "failure";
  } catch {
    return "failure";
  }
}

function routeTable(byPath: ReadonlyMap<string, Handler>, fallback: Handler, userCode: UserCode): RouteTable {
  const { own, plugins, close } = userCode;
  const route = ({ headers = [], methods = GET_ONLY, stream = false }: Handler, isOwn: boolean): Route => ({
    // A copy: what a module changes later does not count.
    headers: plugins.reduce(union, listOf(headers)),
    methods: listOf(methods),
    stream,
    own: isOwn,
  });
  const named = [...byPath].map(([path, handler]) => [path, route(handler, Object.hasOwn(own.byPath, path))] as const);
  const isNone = own.application === null && plugins.length === 0;
  return {
    byPath: new Map(named),
    fallback: route(fallback, own.fallback !== null),
    userCode: isNone ? null : { style: own.application?.style ?? null, closes: close !== null },
  };
}

/** HEAD beside GET says nothing more. */
function listOf(names: readonly string[] | "all"): readonly string[] | "all" {
  if (names === "all") return names;
  return names.includes("GET") ? names.filter((name) => name !== "HEAD") : [...names];
}

/** What a handler and a plug-in read together. */
function union(read: Route["headers"], { headers }: Pick<Route, "headers">): Route["headers"] {
  if (read === "all" || headers === "all") return "all";
  return headers.length === 0 ? read : [...new Set([...read, ...headers])];
}

const SERVER_ERROR = textResponse(500, "500 Internal Server Error");

/** A promise nobody listens to must not end the thread and all its requests: it is counted and logged. Call once in each thread. */
export function countUnhandledRejections(stats: ThreadStats, config: Pick<ServerConfig, "diagnostics">): void {
  const failures = failureLogOf(config);
  process.on("unhandledRejection", (reason) => {
    stats.add(Counter.unhandledRejections, 1);
    failures.add("a promise was rejected and nobody listened", reason);
  });
}
