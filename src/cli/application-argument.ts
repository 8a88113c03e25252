import type { Argv } from "yargs";
import { usageError } from "../shared/errors.js";

/** The positional argument of commands that serve a user's application. */
export function withApplicationArgument(yargs: Argv): Argv {
  return yargs.positional("app", { describe: "your application, as --handlers names it", type: "string" });
}

/** The flags, with the application that was given as an argument as `--handlers`. Throws a usage error for both. */
export function withApplication<T extends Readonly<Record<string, unknown>>>(argv: T): T {
  const { app, ...flags } = argv;
  if (app === undefined) return argv;
  if (argv["handlers"] !== undefined) {
    throw usageError(`"${String(app)}" and --handlers are two applications: leave one out`);
  }
  return { ...flags, handlers: app } as unknown as T;
}
