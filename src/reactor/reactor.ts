import type { CoreModule } from "../core.js";
import { createDispatch } from "../shared/handlers/dispatch.js";

/** The handler runs in the event loop, at once, and nothing else runs until it returns or awaits. */
export const reactor: CoreModule = {
  name: "reactor",
  threads: () => 0,
  async start(context) {
    const dispatch = await createDispatch(context);
    return {
      submit(request, reply) {
        const response = dispatch(request);
        if (response instanceof Promise) response.then((late) => reply.send(late));
        else reply.send(response);
      },
      async stop() {},
    };
  },
};
