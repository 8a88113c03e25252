import { messageOf } from "../errors.js";
import { Field, type ThreadStats } from "../stats.js";
import type { HandlerContext } from "./context.js";
import { cpu } from "./cpu.js";
import { withErrorPage } from "./error-page.js";
import {
  BadRequest,
  type Dispatch,
  type Handler,
  type HandlerRequest,
  type HandlerResponse,
  type HandlerResult,
  HeaderBlock,
  type HeaderTable,
  textResponse,
} from "./handler.js";
import { hello } from "./hello.js";
import { importHandlers } from "./import-handlers.js";
import { metrics } from "./metrics.js";
import { mixed } from "./mixed.js";
import { sleep } from "./sleep.js";
import { staticFiles } from "./static.js";
import { stats } from "./stats.js";

/**
 * All handlers of one thread behind one function that never throws and never rejects: the same in every core.
 * The user's handlers come before the built-in ones; what has no handler is a file.
 */
export async function createDispatch(context: HandlerContext): Promise<Dispatch> {
  const { config } = context.shared;
  const byPath = new Map<string, Handler>(
    Object.entries({
      "/hello": hello,
      "/cpu": cpu(context),
      "/sleep": sleep,
      "/mixed": mixed(context),
      "/stats.json": stats(context),
      "/metrics": metrics(context),
      ...(config.handlers === null ? {} : await importHandlers(config.handlers)),
    }),
  );
  const files = staticFiles(context);
  const serverError = withErrorPage(SERVER_ERROR, config);

  const failed = (error: unknown): HandlerResponse => {
    if (error instanceof BadRequest) return textResponse(400, `400 Bad Request: ${error.message}`);
    context.stats.add(Field.handlerErrors, 1);
    logFailure(error);
    return serverError;
  };

  const dispatch = (request: HandlerRequest): HandlerResponse | Promise<HandlerResponse> => {
    context.stats.add(Field.handled, 1);
    try {
      const response = (byPath.get(request.path) ?? files)(request);
      return response instanceof Promise ? response.then(checked).catch(failed) : checked(response);
    } catch (error) {
      return failed(error);
    }
  };
  return Object.assign(dispatch, { headerTable: headerTable(byPath, files) });
}

function headerTable(byPath: ReadonlyMap<string, Handler>, files: Handler): HeaderTable {
  const named = [...byPath].map(([path, { headers = [] }]) => [path, headers] as const);
  return { byPath: new Map(named), files: files.headers ?? [] };
}

const SERVER_ERROR = textResponse(500, "500 Internal Server Error");

/** Blocks made of plain objects, by the object: a handler that returns the same one again has it checked once. */
const blocks = new WeakMap<object, HeaderBlock>();

/** A handler that forgets to return, or returns nonsense, fails here, with its name in the log, and not in the front. */
function checked(result: HandlerResult): HandlerResponse {
  const { status, headers, body } = result ?? {};
  if (!(status >= 200 && status <= 599) || typeof headers !== "object" || body === undefined) {
    throw new TypeError("a handler returned no response: it must return { status: 200…599, headers, body }");
  }
  if (headers instanceof HeaderBlock) return result as HandlerResponse;
  let block = blocks.get(headers);
  if (block === undefined) {
    block = new HeaderBlock(headers as Readonly<Record<string, string>>);
    blocks.set(headers, block);
  }
  return { status, headers: block, body };
}

/** A promise nobody listens to must not end the thread and all its requests: it is counted and told. Call once in each thread. */
export function countUnhandledRejections(stats: ThreadStats): void {
  process.on("unhandledRejection", (reason) => {
    stats.add(Field.unhandledRejections, 1);
    logFailure(reason);
  });
}

const LOG_INTERVAL_MS = 1000;
let lastLogMs = Number.NEGATIVE_INFINITY;
let unlogged = 0;

/** One line a second at most, so that a failing handler under load does not become a failing disk; the count is in the stats. */
function logFailure(error: unknown): void {
  const nowMs = performance.now();
  if (nowMs - lastLogMs < LOG_INTERVAL_MS) {
    unlogged++;
    return;
  }
  const others = unlogged > 0 ? ` (and ${unlogged} more since the last line)` : "";
  console.error(
    `loopool: a handler failed${others}: ${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}`,
  );
  lastLogMs = nowMs;
  unlogged = 0;
}
