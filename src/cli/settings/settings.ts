import { adapters, modes } from "../../server.js";
import { appStyles, DEFAULT_LOG, DEFAULT_UNIX, defaultConfig, MAX_WORKERS } from "../../shared/default-config.js";

/** A value of JSON Schema, as far as settings need it. */
type Schema = Readonly<Record<string, unknown>>;

interface Setting {
  readonly describe: string;
  /** What a file may hold. The checks of resolve.ts have the last word. */
  readonly schema: Schema;
  /** Used where no source gives a value; none: it depends on the machine, or there is nothing. */
  readonly default?: string | number;
  /** "on" or "off"; the flag alone means "on". */
  readonly isSwitch?: true;
  /** Its former name, which flags, variables and files may still use. */
  readonly alias?: string;
}

/** As the settings spell it: seconds for ms, words for truth values, 0 for no limit. */
const defaults = defaultConfig();
const { limits, files } = defaults;

const number = (minimum: number, maximum: number): Schema => ({ type: "number", minimum, maximum });
const integer = (minimum: number, maximum: number): Schema => ({ type: "integer", minimum, maximum });
const text: Schema = { type: "string", minLength: 1 };
const onOff: Schema = { enum: ["on", "off"] };

export const logFormats = ["combined", "json"] as const;
export const logOverflows = ["drop", "block"] as const;
/** Bounds of settings that both the schema and the checks name. */
export const bounds = {
  port: [0, 65_535],
  queue: [2, 2 ** 20],
  "body-memory": [2 ** 16, 2 ** 30],
  "cache-bytes": [2 ** 16, 2 ** 31],
  "worker-memory": [8, 2 ** 20],
  seconds: [0, 86_400],
  "max-age": [0, 31_536_000],
  "max-connections": [1, 2 ** 20],
  "max-header": [512, 16_384],
  "max-url": [16, 16_384],
  "max-body": [0, 2 ** 40],
  "positive-seconds": [1, 86_400],
  "max-connection-requests": [0, 2 ** 31],
  "rate-limit": [0, 2 ** 20],
} as const;

/** Every setting of a server: a flag of `serve`, a variable, and a key of the configuration file. To add one, name it here and in resolve.ts, and run `npm run settings`. */
export const settings = {
  mode: {
    describe: `core that runs the handlers: ${modes.join(", ")}`,
    schema: { enum: modes },
    default: defaults.mode,
  },
  adapter: {
    describe: `what speaks HTTP: ${adapters.join(", ")} (Node's own server: slower, speaks HTTP/1.0 too, needs no binary)`,
    schema: { enum: adapters },
    default: defaults.adapter,
    alias: "front",
  },
  port: { describe: "port to listen on; 0 takes a free one", schema: integer(...bounds.port), default: defaults.port },
  host: { describe: "address to listen on; without it all IPv4 and IPv6 addresses", schema: text },
  unix: { describe: "path of a Unix-domain socket to listen on, in place of a port", schema: text },
  "unix-mode": {
    describe: "permissions of that socket, octal: who may write may connect",
    schema: { type: "string", pattern: "^0?[0-7]{3}$" },
    default: `0${DEFAULT_UNIX.mode.toString(8)}`,
  },
  "tls-cert": { describe: "certificate for HTTPS with its chain, a PEM file; with --tls-key", schema: text },
  "tls-key": { describe: "private key of the certificate, a PEM file", schema: text },
  "tls-self-signed": {
    describe: "HTTPS for trying out: a certificate for localhost that lives as long as the server: on, off",
    schema: onOff,
    default: "off",
    isSwitch: true,
  },
  root: { describe: "folder whose files are served; without it the www folder of loopool", schema: text },
  workers: {
    describe:
      "worker threads of the pool, a number or MIN:MAX; without it one fewer than CPUs that affinity and quota allow, at least 1",
    schema: {
      anyOf: [
        { type: "integer", minimum: 1, maximum: MAX_WORKERS },
        { type: "string", pattern: "^[0-9]+(:[0-9]+)?$" },
      ],
    },
  },
  "worker-idle": {
    describe: "seconds without work after which a worker beyond MIN ends",
    schema: number(...bounds.seconds),
    default: defaults.workerIdleMs / 1000,
  },
  "worker-memory": {
    describe: "MiB of heap that a worker may use; without it Node's own limit",
    schema: integer(...bounds["worker-memory"]),
  },
  "request-timeout": {
    describe:
      "seconds after which a request is answered with 504, and the pool replaces a worker stuck in it; 0: never",
    schema: number(...bounds.seconds),
    default: (defaults.requestTimeoutMs ?? 0) / 1000,
  },
  queue: {
    describe: "requests queued or in service at once in the pool, a power of two",
    schema: integer(...bounds.queue),
    default: defaults.queue,
  },
  "body-memory": {
    describe:
      "shared memory for request bodies that wait in the pool, more get a 503; without it 64 MiB, or 4 × --max-body",
    schema: integer(...bounds["body-memory"]),
  },
  "cache-bytes": {
    describe: "bound of the file cache that all threads share",
    schema: integer(...bounds["cache-bytes"]),
    default: defaults.cacheBytes,
  },
  immutable: {
    describe: "regular expression for paths of files that never change; without it names with a hash; off: none",
    schema: text,
  },
  "max-age": {
    describe: "seconds for which browsers may use other files, pages excepted, without asking; 0: they always ask",
    schema: integer(...bounds["max-age"]),
    default: files.maxAgeSeconds,
  },
  csp: {
    describe: "Content-Security-Policy of pages; without it they load from this site only; off: none",
    schema: text,
  },
  handlers: {
    describe: "your own application, a module in JavaScript or TypeScript, see docs/applications.md",
    schema: text,
  },
  "app-style": {
    describe: `what it is to be taken for: ${appStyles.join(", ")}; without it what its exports look like`,
    schema: { enum: appStyles },
  },
  plugin: {
    describe: "modules that run around every request, or folders of them, with commas or given again",
    schema: { anyOf: [text, { type: "array", items: text }] },
  },
  "env-file": {
    describe: "file with variables for your application and plug-ins; those that are set already stay",
    schema: text,
  },
  "iterations-per-us": {
    describe: "iterations of the burn loop per µs; without it calibrated at the start",
    schema: { type: "number", exclusiveMinimum: 0 },
  },
  log: {
    describe: "access log: a file, - for standard output, or off; SIGHUP opens the file anew",
    schema: text,
    default: "off",
  },
  "log-format": {
    describe: `its lines: ${logFormats.join(", ")}`,
    schema: { enum: logFormats },
    default: DEFAULT_LOG.format,
  },
  "log-overflow": {
    describe: "when it is not written as fast as requests are answered: drop lines and count them, or block the server",
    schema: { enum: logOverflows },
    default: DEFAULT_LOG.overflow,
  },
  mirror: {
    describe: "the stats in a file in shared memory, for the command stats: on, off",
    schema: onOff,
    default: defaults.mirror ? "on" : "off",
  },
  "max-connections": {
    describe: "connections open at once, one more gets a 503; without it as many as ulimit -n has room for",
    schema: integer(...bounds["max-connections"]),
  },
  "max-header": {
    describe: "bytes of a request's line and fields together, more get a 431",
    schema: integer(...bounds["max-header"]),
    default: limits.maxHeadBytes,
  },
  "max-url": {
    describe: "bytes of a request's target, more get a 414",
    schema: integer(...bounds["max-url"]),
    default: limits.maxUrlBytes,
  },
  "max-body": {
    describe: "bytes of a request's body, more get a 413; handlers that read a stream have no limit",
    schema: integer(...bounds["max-body"]),
    default: limits.maxBodyBytes,
  },
  "header-timeout": {
    describe: "seconds for a request's head to arrive; the adapter on µWS knows 10 only",
    schema: number(...bounds["positive-seconds"]),
    default: limits.headTimeoutMs / 1000,
  },
  "idle-timeout": {
    describe: "seconds between two requests of a connection; the adapter on µWS knows 10 only",
    schema: number(...bounds["positive-seconds"]),
    default: limits.idleTimeoutMs / 1000,
  },
  "slow-reader-timeout": {
    describe: "seconds after which a response of which the client takes nothing is ended",
    schema: number(...bounds["positive-seconds"]),
    default: limits.slowReaderTimeoutMs / 1000,
  },
  "max-connection-requests": {
    describe: "requests after which a connection is closed, on average with the adapter on µWS; 0: never",
    schema: integer(...bounds["max-connection-requests"]),
    default: limits.maxConnectionRequests ?? 0,
  },
  "rate-limit": {
    describe: "requests a second of one client address, and as many at once, more get a 429; 0: any number",
    schema: integer(...bounds["rate-limit"]),
    default: limits.ratePerSecond ?? 0,
  },
  "admin-token": {
    describe:
      "what /stats… and /metrics are to be asked with, as a bearer token or a password; without it they answer this machine only",
    schema: text,
  },
} as const satisfies Readonly<Record<string, Setting>>;

export type SettingName = keyof typeof settings;

export const settingNames = Object.keys(settings) as readonly SettingName[];

/** The name of a setting's variable: LOOPOOL_CACHE_BYTES for "cache-bytes". */
export function variableOf(name: string): string {
  return `LOOPOOL_${name.toUpperCase().replaceAll("-", "_")}`;
}

/** Settings that are never shown. */
export const secrets: readonly SettingName[] = ["admin-token"];

/** What a setting is where no source says otherwise. */
export function defaultOf(name: SettingName): string | number | undefined {
  return (settings[name] as Setting).default;
}

/** A setting's former name, which still works. */
export function aliasOf(name: SettingName): string | undefined {
  return (settings[name] as Setting).alias;
}

/** Whether its flag may stand alone. */
export function isSwitch(name: SettingName): boolean {
  return (settings[name] as Setting).isSwitch === true;
}

/** The schema of the configuration file (JSON Schema, draft 2020-12), which editors use: loopool.schema.json. */
export function configSchema(): Schema {
  const properties = Object.fromEntries(
    settingNames.flatMap((name) => {
      const { describe, schema, alias } = settings[name] as Setting;
      const value = defaultOf(name);
      const property = { description: describe, ...schema, ...(value === undefined ? {} : { default: value }) };
      const former = { description: `Former name of ${name}.`, ...schema, deprecated: true };
      return [[name, property] as const, ...(alias === undefined ? [] : [[alias, former] as const])];
    }),
  );
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "loopool.config.json",
    description: "Settings of loopool serve. Variables (LOOPOOL_…) and flags win over them.",
    type: "object",
    properties: { $schema: { type: "string" }, ...properties },
    additionalProperties: false,
  };
}
