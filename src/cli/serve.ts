import { type RunningServer, startServer } from "../server.js";
import type { ServerConfig } from "../shared/config.js";
import { countUnhandledRejections } from "../shared/dispatch/dispatch.js";
import { endedByImport } from "../shared/errors.js";
import { oneLine, terminalJson } from "../shared/terminal-text.js";
import { withApplication, withApplicationArgument } from "./application-argument.js";
import type { Command } from "./command.js";
import { called } from "./invocation.js";
import { whenOutputIsLost } from "./output.js";
import { resolveSettings } from "./settings/resolve.js";
import {
  aliasOf,
  defaultOf,
  isSwitch,
  type SettingName,
  secrets,
  settingNames,
  settings,
} from "./settings/settings.js";
import { CONFIG_FILE, gather, type SourcedSettings } from "./settings/sources.js";
import { onEndingSignal } from "./signals.js";
import { withValues } from "./values/options.js";

/** Not yargs' own defaults: a flag that was not given must not hide what the other sources say. */
const options = Object.fromEntries([
  ...settingNames
    .filter((name) => !isSwitch(name))
    .map((name) => {
      const alias = aliasOf(name);
      return [name, { describe: describe(name), ...(alias === undefined ? {} : { alias }) }] as const;
    }),
  [
    "config",
    { describe: `JSON file with any of these; off: flags alone count [default: ${CONFIG_FILE}, if it is there]` },
  ] as const,
]);

/** With a value or without. */
const switches = Object.fromEntries(
  settingNames
    .filter(isSwitch)
    .map((name) => [name, { describe: describe(name), type: "string", coerce: onIfBare } as const]),
);

function onIfBare(value: unknown): unknown {
  return value === "" ? "on" : value;
}

function describe(name: SettingName): string {
  const value = defaultOf(name);
  return value === undefined ? settings[name].describe : `${settings[name].describe} [default: ${value}]`;
}

/** `loopool serve`: runs one server until it is told to stop. */
export const serveCommand: Command = {
  options: (yargs) =>
    withApplicationArgument(yargs)
      .options({ ...withValues(options), ...switches })
      .option("print-config", { describe: "print every setting, its value and its source, and end", type: "boolean" })
      .example(called("serve --mode pool"), "serve www on port 9090, handlers in worker threads")
      .example(called("serve --mode reactor --port 0 --host 127.0.0.1"), "a free port, this machine only")
      .example(
        called("serve --adapter node"),
        "where µWebSockets.js has no binary, or a client speaks HTTP/1.0, as ab does",
      )
      .example(called("serve --tls-self-signed"), "HTTPS with a throw-away certificate, for trying out")
      .example(called("serve --unix /run/loopool.sock"), "a Unix-domain socket, for a proxy on this machine")
      .example(called("serve --log access.log"), "an access log in the Combined Log Format")
      .example(`LOOPOOL_MODE=pool ${called("serve --print-config")}`, "what would be used, and where it comes from")
      .example(called("serve --mode pool ./app.ts"), "your own application: Hono, Express, Fastify, Koa, or functions"),
  handler: async (argv) => {
    const sourced = gather(withApplication(argv), process.env, process.cwd());
    const config = resolveSettings(sourced);
    if (argv["print-config"] === true) console.log(terminalJson(printable(sourced), 2));
    else await serve(config);
  },
};

/** By setting: the value as it was given, and by whom; of a secret only whether there is one. */
function printable(sourced: SourcedSettings): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    settingNames.map((name) => {
      const { raw, source } = sourced[name];
      const value = raw !== undefined && secrets.includes(name) ? "(not shown)" : raw;
      return [name, { value: value ?? null, source }];
    }),
  );
}

/** A module that ends this process when it is imported must not look like a server that ended as it should. */
async function started(config: ServerConfig): Promise<RunningServer> {
  const { handlers } = config;
  const explain = (code: number): void => {
    if (handlers === null) return;
    const { message, exitCode } = endedByImport(handlers, code);
    console.error(`loopool: ${message}`);
    process.exitCode = exitCode;
  };
  process.once("exit", explain);
  try {
    return await startServer(config);
  } finally {
    process.off("exit", explain);
  }
}

async function serve(config: ServerConfig): Promise<void> {
  const server = await started(config);
  countUnhandledRejections(server.mainStats, config);
  const stop = (): void => {
    server.stop().then((cutOff) => {
      if (cutOff > 0) console.error(`loopool: ${cutOff} requests were cut off after ${config.drainTimeoutMs} ms`);
      process.exit(0);
    });
  };
  if (config.log === null) {
    onEndingSignal(stop);
  } else {
    onEndingSignal(stop, ["SIGINT", "SIGTERM"]);
    process.on("SIGHUP", () => server.reopenLog());
  }
  // A server is there for its clients: it goes on when nobody reads its line.
  whenOutputIsLost(() => {});
  if (config.tls === "self-signed") {
    console.error(
      "loopool: the certificate is self-signed and ends with this process: clients must be told not to verify it, as by curl --insecure",
    );
  }
  // Last: whoever reads the line may send a signal at once.
  console.log(
    `loopool ${config.mode} listening on ${oneLine(server.url)} pid ${process.pid} workers ${server.workers}${server.application === null ? "" : ` application ${server.application}`}`,
  );
}
