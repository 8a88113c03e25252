import { exitCodeOf } from "./signals.js";

const endByDefault = (exitCode: number): void => process.exit(exitCode);
let onLost = endByDefault;

/**
 * What becomes of a command that cannot write to standard output: without a reader (EPIPE, as in `loopool load … | head -1`) it ends
 * quietly, as a program does that SIGPIPE ends; otherwise (a full disk) it says so in one line and ends with 1. Without a reader of standard
 * error it goes on.
 */
export function watchOutput(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") {
      onLost(exitCodeOf("SIGPIPE"));
    } else {
      console.error(`loopool: standard output cannot be written: ${error.message}`);
      onLost(1);
    }
  });
  process.stderr.on("error", () => {});
}

/** What this command does in place of ending with that code. */
export function whenOutputIsLost(handler: (exitCode: number) => void): void {
  onLost = handler;
}
