import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { UnixConfig } from "../../shared/config.js";
import { usageError } from "../../shared/errors.js";
import { text } from "../values/options.js";
import type { GetSetting, SourcedSettings } from "./sources.js";

/** Room for a path in sockaddr_un, less the zero at its end (unix(7)). */
const MAX_PATH_BYTES = 107;
/** Where a socket is made beside its path: "/.loopool-123456/s". */
const SCRATCH_BYTES = 18;

/** `--unix` and `--unix-mode`; null without. Throws a usage error, also for a socket beside a port or a host. */
export function unixConfig(sourced: SourcedSettings, get: GetSetting): UnixConfig | null {
  const mode = get("unix-mode", permissions);
  if (sourced.unix.raw === undefined) return null;
  for (const other of ["port", "host"] as const) {
    if (sourced[other].raw === undefined || sourced[other].source === "default") continue;
    throw usageError(
      `${sourced.unix.source} and ${sourced[other].source} are two places to listen: leave one of them out`,
    );
  }
  return { path: get("unix", socketPath), mode };
}

function permissions(flag: string, raw: unknown): number {
  const value = text(flag, raw);
  if (/^0?[0-7]{3}$/.test(value)) return Number.parseInt(value, 8);
  throw usageError(`--${flag} must be octal permissions like 0660, not "${value}"`);
}

function socketPath(flag: string, raw: unknown): string {
  const path = resolve(text(flag, raw));
  const folder = dirname(path);
  const bytes = Math.max(Buffer.byteLength(path), Buffer.byteLength(folder) + SCRATCH_BYTES);
  if (bytes > MAX_PATH_BYTES) {
    throw usageError(
      `--${flag} ${path} is ${bytes - MAX_PATH_BYTES} bytes too long for a socket: choose a shorter path or folder`,
    );
  }
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw usageError(`--${flag} ${path}: ${folder} is not a folder: make it first`);
  }
  return path;
}
