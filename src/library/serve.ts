import { resolveSettings } from "../cli/settings/resolve.js";
import { defaultOf, type SettingName, settingNames } from "../cli/settings/settings.js";
import type { SourcedSettings } from "../cli/settings/sources.js";
import { startServer } from "../server.js";
import { flagOf, flagsOf, inOptionNames, type Kinds } from "./flags.js";
import type { ServeOptions, Server } from "./types.js";

const kinds: Kinds<ServeOptions> = {
  mode: "value",
  adapter: "value",
  port: "value",
  host: "value",
  unix: "value",
  unixMode: "value",
  tlsCert: "value",
  tlsKey: "value",
  tlsSelfSigned: "switch",
  root: "value",
  workers: "value",
  workerIdle: "value",
  workerMemory: "value",
  requestTimeout: "value",
  queue: "value",
  bodyMemory: "value",
  cacheBytes: "value",
  immutable: "value",
  maxAge: "value",
  csp: "value",
  handlers: "value",
  appStyle: "value",
  plugin: "list",
  envFile: "value",
  iterationsPerUs: "value",
  log: "value",
  logFormat: "value",
  logOverflow: "value",
  mirror: "switch",
  maxConnections: "value",
  maxHeader: "value",
  maxUrl: "value",
  maxBody: "value",
  headerTimeout: "value",
  idleTimeout: "value",
  slowReaderTimeout: "value",
  maxConnectionRequests: "value",
  rateLimit: "value",
  adminToken: "value",
  diagnostics: "boolean",
};

const optionOf = new Map(Object.keys(kinds).map((option) => [flagOf(option), option]));

/** Neither variables nor a file: a library takes what it is given. */
function sourcedOf(flags: Readonly<Record<string, unknown>>): SourcedSettings {
  const sourced = (name: SettingName) =>
    flags[name] === undefined
      ? { raw: defaultOf(name), source: "default" }
      : { raw: flags[name], source: optionOf.get(name) ?? name };
  return Object.fromEntries(settingNames.map((name) => [name, sourced(name)])) as Record<
    SettingName,
    ReturnType<typeof sourced>
  >;
}

/** See `serve` of the package. */
export async function serve(options: ServeOptions): Promise<Server> {
  return await inOptionNames(kinds, async () => {
    const flags = flagsOf("serve", options, kinds);
    const config = { ...resolveSettings(sourcedOf(flags)), diagnostics: flags["diagnostics"] === true };
    const { url, port, workers, reopenLog, stop } = await startServer(config);
    return { url, port, workers, reopenLog, stop };
  });
}
