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
  type HeaderTable,
  textResponse,
} from "../handlers/handler.js";
import { promiseOf, responseOf } from "../handlers/result.js";
import { BadResult } from "../handlers/result-error.js";
import { HeaderBlocks } from "../handlers/result-headers.js";
import { withErrorPage } from "../static/error-page.js";
import { staticFiles } from "../static/static.js";
import { Counter, type ThreadStats } from "../stats/stats.js";
import { importHandlers } from "./import-handlers.js";

/**
 * All handlers of one thread behind one function that never throws and never rejects: the same in every core.
 * The user's handlers come before the built-in ones; what has no handler is a file.
 */
export async function createDispatch(
  context: HandlerContext,
  failures = failureLogOf(context.shared.config),
): Promise<Dispatch> {
  const { config } = context.shared;
  const own = config.handlers === null ? {} : await importHandlers(config.handlers);
  const byPath = new Map<string, Handler>(
    Object.entries({
      "/hello": hello,
      "/cpu": cpu(context),
      "/sleep": sleep,
      "/mixed": mixed(context),
      "/stats.json": stats(context),
      "/metrics": metrics(context),
      ...own,
    }),
  );
  const files = staticFiles(context);
  const serverError = await withErrorPage(SERVER_ERROR, config);

  const blocks = new HeaderBlocks();

  const failed = (path: string, error: unknown): HandlerResponse => {
    const kind = kindOf(error);
    if (kind === "bad request") return textResponse(400, `400 Bad Request: ${(error as BadRequest).message}`);
    context.stats.add(Counter.handlerErrors, 1);
    const handler = byPath.has(path) ? path : "the handler of files";
    if (kind === "bad result") failures.add(`${handler} returned ${(error as BadResult).message}`);
    else failures.add(`${handler} failed`, error);
    return serverError;
  };
  const later = async (path: string, result: Promise<unknown>): Promise<HandlerResponse> => {
    try {
      return responseOf(await result, blocks);
    } catch (error) {
      return failed(path, error);
    }
  };
  const dispatch = (request: HandlerRequest): HandlerResponse | Promise<HandlerResponse> => {
    const { path } = request;
    context.stats.add(Counter.handled, 1);
    try {
      const result: unknown = (byPath.get(path) ?? files)(request);
      const promise = promiseOf(result);
      return promise === null ? responseOf(result, blocks) : later(path, promise);
    } catch (error) {
      return failed(path, error);
    }
  };
  return Object.assign(dispatch, { headerTable: headerTable(byPath, files, own), unsendable: failed });
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

function headerTable(byPath: ReadonlyMap<string, Handler>, files: Handler, own: object): HeaderTable {
  const named = [...byPath].map(([path, { headers = [] }]) => [path, headers] as const);
  return { byPath: new Map(named), files: files.headers ?? [], own: new Set(Object.keys(own)) };
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
