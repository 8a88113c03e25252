import { join } from "node:path";
import type { AppStyle, FileRules, LogConfig, ServerConfig, ServerLimits, UnixConfig } from "./config.js";
import { packageRoot } from "./package-root.js";
import { usableCpus } from "./process-limits.js";

export const DEFAULT_FILE_RULES: FileRules = {
  // A point or a dash, then eight hexadecimal digits or more, letters and figures among them: a date is no hash.
  immutable: "[.-](?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{8,}\\.[^/]*$",
  maxAgeSeconds: 0,
  // No scripts inside a page, which is what most injections need; styles inside are what many pages have.
  csp: [
    "default-src 'self'",
    "img-src 'self' data:",
    "style-src 'self' 'unsafe-inline'",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'self'",
  ].join("; "),
};

const DEFAULT_LIMITS: ServerLimits = {
  maxConnections: null,
  maxHeadBytes: 16_384,
  maxUrlBytes: 16_384,
  maxBodyBytes: 2 ** 20,
  headTimeoutMs: 10_000,
  idleTimeoutMs: 10_000,
  slowReaderTimeoutMs: 10_000,
  maxConnectionRequests: null,
  ratePerSecond: null,
};

/** Of a log and a Unix-domain socket that are asked for without more. */
export const DEFAULT_LOG: Pick<LogConfig, "format" | "overflow"> = { format: "combined", overflow: "drop" };
export const DEFAULT_UNIX: Pick<UnixConfig, "mode"> = { mode: 0o660 };

/** What a user's module can be taken for. src/app/recognise.ts says by what. */
export const appStyles: readonly AppStyle[] = ["fetch", "node", "listen", "handlers"];

/** The most workers of a pool. */
export const MAX_WORKERS = 256;

/** The configuration of a server that is told nothing: the one place where defaults are written. Workers: one fewer than CPUs that affinity and quota allow, at least 1. */
export function defaultConfig(): ServerConfig {
  const workers = Math.min(MAX_WORKERS, Math.max(1, usableCpus() - 1));
  return {
    mode: "reactor",
    adapter: "uws",
    port: 9090,
    host: null,
    unix: null,
    tls: null,
    root: join(packageRoot, "www"),
    workers: { min: workers, max: workers },
    workerIdleMs: 10_000,
    workerMemoryMiB: null,
    requestTimeoutMs: 30_000,
    queue: 1024,
    bodyMemoryBytes: null,
    cacheBytes: 64 * 2 ** 20,
    files: DEFAULT_FILE_RULES,
    handlers: null,
    appStyle: null,
    plugins: [],
    envFile: null,
    iterationsPerMicro: null,
    log: null,
    mirror: true,
    limits: DEFAULT_LIMITS,
    adminToken: null,
    diagnostics: true,
    drainTimeoutMs: 10_000,
  };
}
