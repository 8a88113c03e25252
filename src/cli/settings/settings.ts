import { modes } from "../../server.js";

/** A value of JSON Schema, as far as settings need it. */
type Schema = Readonly<Record<string, unknown>>;

interface Setting {
  readonly describe: string;
  /** What a file may hold. The checks of resolve.ts have the last word. */
  readonly schema: Schema;
  /** Used where no source gives a value; none: it depends on the machine, or there is nothing. */
  readonly default?: string | number;
}

const number = (minimum: number, maximum: number): Schema => ({ type: "number", minimum, maximum });
const integer = (minimum: number, maximum: number): Schema => ({ type: "integer", minimum, maximum });
const text: Schema = { type: "string", minLength: 1 };

export const logFormats = ["combined", "json"] as const;
export const logOverflows = ["drop", "block"] as const;
export const MAX_WORKERS = 256;
/** Bounds of settings that both the schema and the checks name. */
export const bounds = {
  port: [0, 65_535],
  queue: [2, 2 ** 20],
  "cache-bytes": [2 ** 16, 2 ** 31],
  "worker-memory": [8, 2 ** 20],
  seconds: [0, 86_400],
  "max-age": [0, 31_536_000],
} as const;

/** Every setting of a server: a flag of `serve`, a variable, and a key of the configuration file. To add one, name it here and in resolve.ts. */
export const settings = {
  mode: {
    describe: `core that runs the handlers: ${modes.join(", ")}`,
    schema: { enum: modes },
    default: "reactor",
  },
  port: { describe: "port to listen on; 0 takes a free one", schema: integer(...bounds.port), default: 9090 },
  host: { describe: "address to listen on; without it all IPv4 and IPv6 addresses", schema: text },
  root: { describe: "folder whose files are served; without it the www folder of loopool", schema: text },
  workers: {
    describe: "worker threads of the pool, a number or MIN:MAX; without it one fewer than CPUs, at least 1",
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
    default: 10,
  },
  "worker-memory": {
    describe: "MiB of heap that a worker may use; without it Node's own limit",
    schema: integer(...bounds["worker-memory"]),
  },
  "request-timeout": {
    describe: "seconds after which the pool answers 504 and replaces a worker stuck in the request; 0: never",
    schema: number(...bounds.seconds),
    default: 30,
  },
  queue: {
    describe: "requests queued or in service at once in the pool, a power of two",
    schema: integer(...bounds.queue),
    default: 1024,
  },
  "cache-bytes": {
    describe: "bound of the file cache that all threads share",
    schema: integer(...bounds["cache-bytes"]),
    default: 64 * 2 ** 20,
  },
  immutable: {
    describe: "regular expression for paths of files that never change; without it names with a hash; off: none",
    schema: text,
  },
  "max-age": {
    describe: "seconds for which browsers may use other files, pages excepted, without asking; 0: they always ask",
    schema: integer(...bounds["max-age"]),
    default: 0,
  },
  csp: {
    describe: "Content-Security-Policy of pages; without it they load from this site only; off: none",
    schema: text,
  },
  handlers: { describe: "module with handlers of your own, see docs/handlers.md", schema: text },
  "iterations-per-us": {
    describe: "iterations of the burn loop per µs; without it calibrated at the start",
    schema: { type: "number", exclusiveMinimum: 0 },
  },
  log: {
    describe: "access log: a file, - for standard output, or off; SIGHUP opens the file anew",
    schema: text,
    default: "off",
  },
  "log-format": { describe: `its lines: ${logFormats.join(", ")}`, schema: { enum: logFormats }, default: "combined" },
  "log-overflow": {
    describe: "when it is not written as fast as requests are answered: drop lines and count them, or block the server",
    schema: { enum: logOverflows },
    default: "drop",
  },
  mirror: {
    describe: "the stats in a file in shared memory, for npm run stats: on, off",
    schema: { enum: ["on", "off"] },
    default: "on",
  },
} as const satisfies Readonly<Record<string, Setting>>;

export type SettingName = keyof typeof settings;

export const settingNames = Object.keys(settings) as readonly SettingName[];

/** The name of a setting's variable: LOOPOOL_CACHE_BYTES for "cache-bytes". */
export function variableOf(name: string): string {
  return `LOOPOOL_${name.toUpperCase().replaceAll("-", "_")}`;
}

/** What a setting is where no source says otherwise. */
export function defaultOf(name: SettingName): string | number | undefined {
  return (settings[name] as Setting).default;
}

/** The schema of the configuration file (JSON Schema, draft 2020-12), which editors use: loopool.schema.json. */
export function configSchema(): Schema {
  const properties = Object.fromEntries(
    settingNames.map((name) => {
      const { describe, schema } = settings[name] as Setting;
      const value = defaultOf(name);
      return [name, { description: describe, ...schema, ...(value === undefined ? {} : { default: value }) }];
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
