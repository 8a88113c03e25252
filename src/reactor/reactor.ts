import type { CoreModule, Reply } from "../core.js";
import type { HandlerContext } from "../shared/handlers/context.js";
import { createDispatch } from "../shared/handlers/dispatch.js";
import type { Dispatch, HandlerRequest, HandlerResponse } from "../shared/handlers/handler.js";
import { PhaseRecorder } from "../shared/phases.js";

/** The handler runs in the event loop, at once, and nothing else runs until it returns or awaits. */
export const reactor: CoreModule = {
  name: "reactor",
  threads: () => 0,
  async start(context: HandlerContext) {
    const dispatch = await createDispatch(context);
    const phases = new PhaseRecorder(context.shared.phases);
    const { byPath, files } = dispatch.headerTable;
    return {
      workersView: null,
      headersOf: (path) => byPath.get(path) ?? files,
      submit(request, reply) {
        if (phases.isDue) {
          submitMeasured(dispatch, phases, request, reply);
          return;
        }
        const response = dispatch(request);
        if (response instanceof Promise) response.then((late) => reply.send(late));
        else reply.send(response);
      },
      abandon() {},
      async stop() {},
    };
  },
};

/** As above, with a look at the clock before and after each phase. */
function submitMeasured(dispatch: Dispatch, phases: PhaseRecorder, request: HandlerRequest, reply: Reply): void {
  const startMs = performance.now();
  const send = (response: HandlerResponse): void => {
    const answeredMs = performance.now();
    reply.send(response);
    phases.record(0, answeredMs - startMs, 0, performance.now() - answeredMs);
  };
  const response = dispatch(request);
  if (response instanceof Promise) response.then(send);
  else send(response);
}
