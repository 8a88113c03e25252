#!/usr/bin/env node
import { inspect } from "node:util";
import yargs from "yargs";
import { hideBin } from "yargs/helpers";
import { LoopoolError, usageError } from "../shared/errors.js";
import { packageVersion } from "../shared/package-root.js";
import { oneLine, printableLines } from "../shared/terminal-text.js";
import { commandNamed, commands } from "./commands.js";
import { called, isOwnCheckout, userFolder } from "./invocation.js";
import { watchOutput } from "./output.js";
import { endWithParent } from "./parent.js";

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
// Paths are relative to where the user stands, also when npm has started us elsewhere.
if (userFolder() !== process.cwd()) process.chdir(userFolder());

const args = hideBin(process.argv);
const chosen = commandNamed(args);

try {
  const cli = yargs(args)
    .scriptName(isOwnCheckout() ? "npm run" : "npx loopool")
    .usage(
      `${called("<command>")}\n\nLoop or pool? One HTTP server with a switchable concurrency core, and the harness that compares them.`,
    )
    .demandCommand(1, `name a command: ${Object.keys(commands).join(", ")} (--help shows each)`)
    .strict()
    .version(packageVersion)
    .help()
    .wrap(110)
    .exitProcess(false)
    .fail((message: string | null, error: Error | undefined) => {
      throw error ?? usageError(message ?? "bad arguments");
    });
  for (const [name, { usage, describe, load }] of Object.entries(commands)) {
    if (name !== chosen) {
      cli.command(name, describe);
      continue;
    }
    const { options, handler } = await load();
    cli.command(usage, describe, (own) => options(own.usage(`${called(usage)}\n\n${describe}`)), handler);
  }
  await cli.parseAsync();
} catch (error) {
  fail(error);
}
