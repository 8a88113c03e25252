import { once } from "node:events";
import { existsSync } from "node:fs";
import { Worker } from "node:worker_threads";
import * as assert from "uvu/assert";
import type { CoreModule } from "../../src/core.js";
import type { ServerConfig } from "../../src/shared/config.js";
import type { SharedState } from "../../src/shared/handlers/context.js";
import { mirrorPath } from "../../src/stats-mirror/format.js";
import type { MirrorStartup } from "../../src/stats-mirror/job.js";
import { type TestServer, withServer } from "./server.js";

/** A server of this core beside a thread that mirrors its stats. */
export async function withMirroredServer(
  core: CoreModule,
  use: (server: TestServer) => Promise<void>,
  settings: Partial<ServerConfig> = {},
): Promise<void> {
  let shared: SharedState | undefined;
  const observed: CoreModule = {
    ...core,
    async start(context) {
      const started = await core.start(context);
      shared = { ...context.shared, workersView: started.workersView };
      return started;
    },
  };
  await withServer(
    { ...settings, mode: core.name, workers: 2 },
    async (server) => {
      const workerData: MirrorStartup = { shared: shared!, port: server.port, intervalMs: 5 };
      const thread = new Worker(new URL("./mirror-thread.js", import.meta.url), { workerData });
      await once(thread, "message");
      try {
        await use(server);
      } finally {
        thread.postMessage("end");
        await once(thread, "exit");
        assert.is(existsSync(mirrorPath(server.port)), false, "a clean end takes the file away");
      }
    },
    { "index.html": "page" },
    [observed],
  );
}
