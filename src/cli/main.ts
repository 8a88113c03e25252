#!/usr/bin/env node
import { inspect } from "node:util";
import yargs from "yargs";
import { hideBin } from "yargs/helpers";
import { LoopoolError, usageError } from "../shared/errors.js";
import { oneLine, printableLines } from "../shared/terminal-text.js";
import { flameCommand } from "./flame.js";
import { loadCommand } from "./load.js";
import { watchOutput } from "./output.js";
import { endWithParent } from "./parent.js";
import { reportCommand } from "./report.js";
import { serveCommand } from "./serve.js";
import { statsCommand } from "./stats.js";
import { sweepCommand } from "./sweep.js";

/**
 * The one door for failure: a user's mistake is one line and exit code 2, what the machine refuses (a full disk, a folder that may not be
 * written to) one line and 1; anything unexpected keeps its stack.
 */
function fail(error: unknown): never {
  if (error instanceof LoopoolError) {
    console.error(`loopool: ${oneLine(error.message)}`);
    process.exit(error.exitCode);
  }
  console.error(isSystemError(error) ? `loopool: ${oneLine(error.message)}` : printableLines(inspect(error)));
  process.exit(1);
}

/** A system call failed: Node's message names it and, where there is one, the file. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "errno" in error && "syscall" in error;
}

watchOutput();
endWithParent();

const commands = yargs(hideBin(process.argv))
  .scriptName("loopool")
  .usage(
    "$0 <command>\n\nLoop or pool? One HTTP server with a switchable concurrency core, and the harness that compares them.",
  )
  .command(serveCommand)
  .command(sweepCommand)
  .command(reportCommand)
  .command(loadCommand)
  .command(flameCommand)
  .command(statsCommand)
  .demandCommand(1, "name a command: serve, sweep, report, load, flame or stats (--help shows each)")
  .strict()
  .version()
  .help()
  .wrap(110)
  .exitProcess(false)
  .fail((message: string | null, error: Error | undefined) => {
    throw error ?? usageError(message ?? "bad arguments");
  });

try {
  await commands.parseAsync();
} catch (error) {
  fail(error);
}
