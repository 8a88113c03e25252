import { statSync } from "node:fs";
import { resolve } from "node:path";
import { adapters, modes } from "../../server.js";
import { appStyles } from "../../shared/app-style.js";
import type { LogConfig, ServerConfig } from "../../shared/config.js";
import { defaultConfig, MAX_WORKERS } from "../../shared/default-config.js";
import { LoopoolError, messageOf, usageError } from "../../shared/errors.js";
import { listOf, number, oneOf, text, wholeNumber } from "../values/options.js";
import { bounds, logFormats, logOverflows, type SettingName } from "./settings.js";
import type { Check, GetSetting, SourcedSettings } from "./sources.js";
import { tlsConfig } from "./tls.js";
import { unixConfig } from "./unix.js";

/** For what has no default in the table of settings, since it depends on the machine or is hard to read there. */
const defaults = defaultConfig();

/**
 * The configuration of a server, each value checked. Throws a usage error that names the source of a bad value: the flag, the variable, or
 * the key and its file.
 */
export function resolveSettings(sourced: SourcedSettings): ServerConfig {
  const get: GetSetting = (name, check) => {
    const { raw, source } = sourced[name];
    try {
      return check(name, raw);
    } catch (error) {
      // The checks speak of flags.
      if (!(error instanceof LoopoolError) || source === "default") throw error;
      throw usageError(error.message.replaceAll(`--${name}`, source));
    }
  };
  const optional = <T>(name: SettingName, check: Check<T>): T | null =>
    sourced[name].raw === undefined ? null : get(name, check);
  const path = (name: SettingName): string | null => optional(name, (flag, raw) => resolve(text(flag, raw)));

  return {
    mode: get("mode", (flag, raw) => oneOf(flag, raw, modes)),
    adapter: get("adapter", (flag, raw) => oneOf(flag, raw, adapters)),
    port: get("port", (flag, raw) => wholeNumber(flag, raw, ...bounds.port)),
    host: optional("host", text),
    unix: unixConfig(sourced, get),
    tls: tlsConfig(sourced, get),
    root: get("root", folder),
    workers: get("workers", workerRange),
    workerIdleMs: get("worker-idle", seconds),
    workerMemoryMiB: optional("worker-memory", (flag, raw) => wholeNumber(flag, raw, ...bounds["worker-memory"])),
    requestTimeoutMs: get("request-timeout", seconds) || null,
    queue: get("queue", powerOfTwo),
    bodyMemoryBytes: optional("body-memory", (flag, raw) => wholeNumber(flag, raw, ...bounds["body-memory"])),
    cacheBytes: get("cache-bytes", (flag, raw) => wholeNumber(flag, raw, ...bounds["cache-bytes"])),
    files: {
      immutable: get("immutable", orOff(pattern, defaults.files.immutable)),
      maxAgeSeconds: get("max-age", (flag, raw) => wholeNumber(flag, raw, ...bounds["max-age"])),
      csp: get("csp", orOff(fieldValue, defaults.files.csp)),
    },
    handlers: path("handlers"),
    appStyle: optional("app-style", (flag, raw) => oneOf(flag, raw, appStyles)),
    plugins: optional("plugin", paths) ?? [],
    envFile: path("env-file"),
    iterationsPerMicro: optional("iterations-per-us", positive),
    log: logConfig(
      get("log", text),
      get("log-format", (flag, raw) => oneOf(flag, raw, logFormats)),
      get("log-overflow", (flag, raw) => oneOf(flag, raw, logOverflows)),
    ),
    mirror: get("mirror", (flag, raw) => oneOf(flag, raw, ["on", "off"])) === "on",
    limits: {
      maxConnections: optional("max-connections", bounded),
      maxHeadBytes: get("max-header", bounded),
      maxUrlBytes: get("max-url", bounded),
      maxBodyBytes: get("max-body", bounded),
      headTimeoutMs: get("header-timeout", positiveSeconds),
      idleTimeoutMs: get("idle-timeout", positiveSeconds),
      slowReaderTimeoutMs: get("slow-reader-timeout", positiveSeconds),
      maxConnectionRequests: get("max-connection-requests", bounded) || null,
      ratePerSecond: get("rate-limit", bounded) || null,
    },
    adminToken: optional("admin-token", token),
    diagnostics: defaults.diagnostics,
    drainTimeoutMs: defaults.drainTimeoutMs,
  };
}

/** With commas, or several. */
function paths(flag: string, raw: unknown): readonly string[] {
  return listOf(flag, [raw].flat().join(","), (_, path) => resolve(text(flag, path)));
}

function folder(flag: string, raw: unknown): string {
  const root = raw === undefined ? defaults.root : resolve(text(flag, raw));
  if (!statSync(root, { throwIfNoEntry: false })?.isDirectory()) throw usageError(`--${flag} ${root} is not a folder`);
  return root;
}

/** null for the word "off". */
function orOff<T>(check: Check<T>, otherwise: T | null): Check<T | null> {
  return (flag, raw) => (raw === undefined ? otherwise : raw === "off" ? null : check(flag, raw));
}

function pattern(flag: string, raw: unknown): string {
  const source = text(flag, raw);
  try {
    new RegExp(source);
  } catch (error) {
    throw usageError(`--${flag} must be a regular expression or off: ${messageOf(error)}`);
  }
  return source;
}

function fieldValue(flag: string, raw: unknown): string {
  const value = text(flag, raw);
  if (/^[!-~]+( +[!-~]+)*$/.test(value)) return value;
  throw usageError(
    `--${flag} must be the value of a header field: ASCII letters, figures and signs, with spaces inside`,
  );
}

function powerOfTwo(flag: string, raw: unknown): number {
  const value = wholeNumber(flag, raw, ...bounds.queue);
  if ((value & (value - 1)) === 0) return value;
  throw usageError(`--${flag} must be a power of two, not ${value}: try ${2 ** Math.ceil(Math.log2(value))}`);
}

/** Where the log goes: a file of the name "off" or "-" is to be had as ./off. */
function logConfig(log: string, format: LogConfig["format"], overflow: LogConfig["overflow"]): LogConfig | null {
  if (log === "off") return null;
  return { file: log === "-" ? null : resolve(log), format, overflow };
}

function positive(flag: string, raw: unknown): number {
  const value = Number(text(flag, typeof raw === "number" ? String(raw) : raw));
  if (value > 0 && Number.isFinite(value)) return value;
  throw usageError(`--${flag} must be a number above 0, not "${String(raw)}"`);
}

/** "4" or "1:8". */
function workerRange(flag: string, raw: unknown): ServerConfig["workers"] {
  if (raw === undefined) return defaults.workers;
  const [first, second, ...rest] = String(raw).split(":");
  if (rest.length > 0) throw usageError(`--${flag} must be a number or MIN:MAX, not "${String(raw)}"`);
  const min = wholeNumber(flag, first, 1, MAX_WORKERS);
  const max = second === undefined ? min : wholeNumber(flag, second, 1, MAX_WORKERS);
  if (max < min) throw usageError(`--${flag} ${String(raw)}: the second number must not be below the first`);
  return { min, max };
}

/** Seconds, with fractions if need be, as ms. */
function seconds(flag: string, raw: unknown): number {
  return number(flag, raw, ...bounds.seconds) * 1000;
}

function positiveSeconds(flag: string, raw: unknown): number {
  return number(flag, raw, ...bounds["positive-seconds"]) * 1000;
}

/** A whole number within the bounds of its own name. */
function bounded(flag: string, raw: unknown): number {
  const [min, max] = bounds[flag as keyof typeof bounds];
  return wholeNumber(flag, raw, min, max);
}

/** It has to fit a header field, and the message must not tell it. */
function token(flag: string, raw: unknown): string {
  const value = text(flag, raw);
  if (/^[!-~]+$/.test(value)) return value;
  throw usageError(`--${flag} must be of visible ASCII characters without spaces`);
}
