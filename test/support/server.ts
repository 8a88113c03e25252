import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CoreModule } from "../../src/core.js";
import { type RunningServer, startServer } from "../../src/server.js";
import type { ServerConfig, ServerLimits } from "../../src/shared/config.js";
import { defaultConfig } from "../../src/shared/default-config.js";
import type { Metrics } from "../../src/shared/stats/metrics.js";

/** A server of this process on a free port of 127.0.0.1, with a site of its own in a temporary folder. */
export interface TestServer extends RunningServer {
  /** The folder it serves. */
  readonly root: string;
  /** The metrics of its /stats.json. */
  stats(): Promise<StatsMetrics>;
}

export interface StatsMetrics {
  readonly requests: number;
  readonly status: Readonly<Record<string, number>>;
  readonly activeConnections: number;
  readonly inFlight: number;
  readonly shed: number;
  readonly aborted: number;
  readonly limits: Metrics["limits"];
  readonly malformed: number;
  readonly denied: number;
  readonly handled: number;
  readonly handlerErrors: number;
  readonly bodyBytes: number;
  readonly requestBodyBytes: number;
  readonly streams: number;
  readonly streamsFailed: number;
  readonly peakRssBytes: number;
  readonly workersLost: number;
  readonly cache: Metrics["cache"];
  readonly log: Metrics["log"];
  readonly workers: number;
  readonly timedOut: number;
  readonly dropped: number;
  readonly phases: Metrics["phases"];
}

const behaviours = fileURLToPath(new URL("../core/fixtures/behaviours.js", import.meta.url));

/** What differs from a test's usual server; a plain number of workers is a fixed one. */
type Settings = Partial<Omit<ServerConfig, "workers" | "limits">> & {
  readonly mode: string;
  readonly limits?: Partial<ServerLimits>;
  readonly workers?: number | ServerConfig["workers"];
};

/** Starts one, calls `use`, and stops it whatever happens. `files` are written into its root first; `modules` as startServer's. */
export async function withServer(
  { workers = 1, limits = {}, ...settings }: Settings,
  use: (server: TestServer) => Promise<void>,
  files: Readonly<Record<string, string | Uint8Array>> = {},
  modules?: readonly CoreModule[],
): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "loopool-test-"));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(root, name), content);
  try {
    const defaults = defaultConfig();
    const config: ServerConfig = {
      ...defaults,
      port: 0,
      host: "127.0.0.1",
      root,
      workers: typeof workers === "number" ? { min: workers, max: workers } : workers,
      requestTimeoutMs: null,
      cacheBytes: 8 * 2 ** 20,
      handlers: behaviours,
      iterationsPerMicro: 1,
      limits: { ...defaults.limits, ...limits },
      drainTimeoutMs: 5000,
      ...settings,
    };
    const server = await startServer(config, modules);
    try {
      const stats = async () => (await (await fetch(`${server.url}/stats.json`)).json()) as StatsMetrics;
      await use({ ...server, root, stats });
    } finally {
      await server.stop();
    }
  } finally {
    rmSync(root, { recursive: true });
  }
}
