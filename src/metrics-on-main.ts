import type { Core } from "./core.js";
import { createDispatch } from "./shared/dispatch/dispatch.js";
import type { HandlerContext } from "./shared/handlers/context.js";
import { routeIn } from "./shared/handlers/route.js";

/**
 * A core whose server answers requests for its metrics on the main thread: whoever wants to know why nothing is answered any more must get
 * an answer while every worker is stuck and the queue is full. `context` is the main thread's.
 *
 * A handler that the user has put on one of these paths runs where the core runs handlers.
 */
export async function withMetricsOnMain(core: Core, context: HandlerContext): Promise<Core> {
  // A core without workers runs all handlers on the main thread anyway.
  if (core.workersView === null) return core;
  const { config } = context.shared;
  const shared = {
    ...context.shared,
    workersView: core.workersView,
    config: { ...config, handlers: null, plugins: [] },
  };
  const dispatch = await createDispatch({ ...context, shared });
  const isForMain = (method: string, path: string): boolean => isMetricsPath(path) && !core.routeOf(method, path).own;
  return {
    workersView: core.workersView,
    userCode: core.userCode,
    routeOf: (method, path) => (isForMain(method, path) ? routeIn(dispatch.routes, path) : core.routeOf(method, path)),
    collectBody: (request) => (isForMain(request.method, request.path) ? null : core.collectBody(request)),
    submit(request, reply) {
      if (!isForMain(request.method, request.path)) {
        core.submit(request, reply);
        return;
      }
      const response = dispatch(request);
      if (response instanceof Promise) response.then((late) => reply.send(late));
      else reply.send(response);
    },
    abandon: (reply) => core.abandon(reply),
    stop: () => core.stop(),
  };
}

/** /stats.json, /metrics, and the page /stats.html with what it loads. */
function isMetricsPath(path: string): boolean {
  return path.startsWith("/stats") || path === "/metrics";
}
