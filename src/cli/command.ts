import type { Argv } from "yargs";

/** A command's own file. */
export interface Command {
  /** Names its flags and its examples. */
  options(yargs: Argv): Argv;
  handler(argv: Readonly<Record<string, unknown>>): void | Promise<void>;
}
