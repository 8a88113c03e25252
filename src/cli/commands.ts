import type { Command } from "./command.js";

/** A command as the list of all commands knows it, without what it consists of. */
export interface CommandEntry {
  /** Its name, and its positional arguments in yargs' notation. */
  readonly usage: string;
  readonly describe: string;
  /** Imports the file of the command, and with it all that it needs. */
  load(): Promise<Command>;
}

/**
 * Every command by name. A command is imported when it is run or when its own help is asked for: a measured server must not carry the harness.
 */
export const commands: Readonly<Record<string, CommandEntry>> = {
  serve: {
    usage: "serve [app]",
    describe: "serve on one of the cores",
    load: async () => (await import("./serve.js")).serveCommand,
  },
  sweep: {
    usage: "sweep [app]",
    describe: "compare the cores over several concurrencies and write the report",
    load: async () => (await import("./sweep.js")).sweepCommand,
  },
  report: {
    usage: "report <file> [after]",
    describe: "write the comparison report of a stored sweep, or of the change between two",
    load: async () => (await import("./report.js")).reportCommand,
  },
  "break-even": {
    usage: "break-even [file] [other]",
    describe: "find the handler CPU cost from which a core passes the base, per number of CPUs",
    load: async () => (await import("./break-even.js")).breakEvenCommand,
  },
  load: {
    usage: "load [url]",
    describe: "send requests to a server and print ab's report",
    load: async () => (await import("./load.js")).loadCommand,
  },
  flame: {
    usage: "flame [app]",
    describe: "profile a server under load: a flame graph by clinic, and a CPU profile of every thread",
    load: async () => (await import("./flame.js")).flameCommand,
  },
  stats: {
    usage: "stats",
    describe: "watch a running server: its counters, read from shared memory",
    load: async () => (await import("./stats.js")).statsCommand,
  },
};

/** The command that the arguments name, in the first that is no flag; before it there is no flag with a value. */
export function commandNamed(args: readonly string[]): string | null {
  const name = args.find((arg) => !arg.startsWith("-"));
  return name !== undefined && Object.hasOwn(commands, name) ? name : null;
}
