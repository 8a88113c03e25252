import { fileURLToPath } from "node:url";
import { Piscina } from "piscina";
import type { Core, CoreModule } from "../../src/core.js";
import { headerBlockOf } from "../../src/pool/answer-codec.js";
import { OVERLOADED, WORKER_LOST } from "../../src/pool/refusals.js";
import type { SharedState } from "../../src/shared/handlers/context.js";
import type { HandlerResponse, HeaderBlock } from "../../src/shared/handlers/handler.js";
import { NO_ROUTES } from "../../src/shared/handlers/route.js";
import { Counter } from "../../src/shared/stats/stats.js";

/** piscina's settings that matter here; which are best depends on the handler. */
export interface PiscinaSettings {
  /** How a worker waits for its next task. */
  readonly atomics: "sync" | "async" | "disabled";
  /** Tasks that a worker is given before it has answered the first. 1 keeps the rest for whoever is free first. */
  readonly concurrentTasksPerWorker: number;
}

/** Every worker's startup message. */
export interface PiscinaStartup {
  readonly shared: SharedState;
  /** One word: workers that have taken a slot of the stats segment. */
  readonly taken: SharedArrayBuffer;
}

/** A response that crossed by structured clone: of the class of its header block, only the own properties arrive. */
interface CopiedResponse extends Omit<HandlerResponse, "headers"> {
  readonly headers: Pick<HeaderBlock, "fields">;
}

/** The same handlers behind the same front, with piscina between the threads: what the pool is compared with. */
export function piscinaCore(settings: PiscinaSettings): CoreModule {
  return {
    name: "piscina",
    threads: ({ workers }) => workers.max,
    async start({ shared, stats }): Promise<Core> {
      const { queue, workers } = shared.config;
      const threads = workers.max;
      const pool = new Piscina({
        ...settings,
        filename: fileURLToPath(new URL("./piscina-worker.js", import.meta.url)),
        workerData: { shared, taken: new SharedArrayBuffer(4) } satisfies PiscinaStartup,
        minThreads: threads,
        maxThreads: threads,
        // Its own histograms of run and wait times, which cost time and which nobody reads.
        recordTiming: false,
      });
      await new Promise<void>((resolve) => {
        let loaded = 0;
        pool.on("message", () => {
          if (++loaded === threads) resolve();
        });
      });
      stats.set(Counter.workers, threads);
      const blocks = new Map<string, HeaderBlock>();
      const headersOf = (fields: readonly string[]): HeaderBlock => {
        const key = fields.join("\n");
        let block = blocks.get(key);
        if (block === undefined) {
          block = headerBlockOf(fields);
          blocks.set(key, block);
        }
        return block;
      };
      return {
        workersView: null,
        userCode: null,
        collectBody: () => null,
        // It is compared over handlers that read no fields and no body.
        routeOf: () => NO_ROUTES.fallback,
        submit(request, reply) {
          if (pool.queueSize >= queue) {
            stats.add(Counter.shed, 1);
            reply.send(OVERLOADED);
            return;
          }
          // A clone would lack what its class makes when it is looked at.
          const { method, path, query, headers, fields } = request;
          pool.run({ method, path, query, headers, fields }).then(
            (response: CopiedResponse) => reply.send({ ...response, headers: headersOf(response.headers.fields) }),
            () => reply.send(WORKER_LOST),
          );
        },
        abandon() {},
        stop: () => pool.destroy(),
      };
    },
  };
}
