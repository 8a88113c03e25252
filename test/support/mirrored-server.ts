import { existsSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import * as assert from "uvu/assert";
import type { CoreModule } from "../../src/core.js";
import type { ServerConfig } from "../../src/shared/config.js";
import { mirrorPath } from "../../src/stats-mirror/format.js";
import { type TestServer, withServer } from "./server.js";

/** A server of this core whose stats are mirrored by now. */
export async function withMirroredServer(
  core: CoreModule,
  use: (server: TestServer) => Promise<void>,
  settings: Partial<Omit<ServerConfig, "workers">> = {},
): Promise<void> {
  let path = "";
  await withServer(
    { ...settings, mode: core.name, workers: 2 },
    async (server) => {
      path = mirrorPath(server.port);
      while (!existsSync(path)) await pause(5);
      await use(server);
    },
    { "index.html": "page" },
  );
  assert.is(existsSync(path), false, "a clean end takes the file away");
}
