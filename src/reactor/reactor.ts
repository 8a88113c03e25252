import type { CoreModule, Reply } from "../core.js";
import { createDispatch } from "../shared/dispatch/dispatch.js";
import type { HandlerContext } from "../shared/handlers/context.js";
import type { HandlerResponse } from "../shared/handlers/handler.js";
import type { ServerRequest } from "../shared/handlers/request.js";
import { routeIn } from "../shared/handlers/route.js";
import { PhaseRecorder } from "../shared/stats/phases.js";
import { Deadlines } from "./deadlines.js";

type Send = (response: HandlerResponse) => void;

/** The handler runs in the event loop, at once, and nothing else runs until it returns or awaits. */
export const reactor: CoreModule = {
  name: "reactor",
  threads: () => 0,
  async start(context: HandlerContext) {
    const dispatch = await createDispatch(context);
    const phases = new PhaseRecorder(context.shared.phases);
    const { requestTimeoutMs } = context.shared.config;
    const deadlines = requestTimeoutMs === null ? null : new Deadlines(requestTimeoutMs, context);

    const sendLater = (response: Promise<HandlerResponse>, reply: Reply, send: Send): void => {
      deadlines?.add(reply);
      response.then((late) => {
        if (deadlines === null || deadlines.settle(reply, late)) send(late);
      });
    };
    /** With a look at the clock before and after each phase. */
    const submitMeasured = (request: ServerRequest, reply: Reply): void => {
      const startMs = performance.now();
      const send: Send = (response) => {
        const answeredMs = performance.now();
        reply.send(response);
        phases.record(0, answeredMs - startMs, 0, performance.now() - answeredMs);
      };
      const response = dispatch(request);
      if (response instanceof Promise) sendLater(response, reply, send);
      else send(response);
    };
    return {
      workersView: null,
      userCode: dispatch.routes.userCode,
      routeOf: (_method, path) => routeIn(dispatch.routes, path),
      collectBody: () => null,
      submit(request, reply) {
        if (phases.isDue) {
          submitMeasured(request, reply);
          return;
        }
        const response = dispatch(request);
        if (response instanceof Promise) sendLater(response, reply, (late) => reply.send(late));
        else reply.send(response);
      },
      abandon(reply) {
        deadlines?.forget(reply);
      },
      async stop() {
        deadlines?.stop();
        await dispatch.close();
      },
    };
  },
};
