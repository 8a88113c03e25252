import { oneLine } from "../shared/terminal-text.js";
import { exitCodeOf } from "./signals.js";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Runs trials, each of which is stored when it has ended. A signal to end aborts `run`; then it is said how to go on, by what `hint` gives (null:
 * nothing is stored yet), and this process ends with the signal's exit code. `progress` is ended in any case.
 */
export async function interruptibly<T>(
  progress: { end(): void },
  hint: () => string | null,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const interruption = new AbortController();
  let exitCode = 1;
  const interrupt = (signal: NodeJS.Signals): void => {
    exitCode = exitCodeOf(signal);
    interruption.abort();
  };
  // Never "once": npm passes a Ctrl-C on that the terminal has sent already, and a second one must not end this process
  // before it has said how to go on. A terminal that closes takes nothing with it either: the children are groups of their own.
  for (const signal of signals) process.on(signal, interrupt);
  try {
    return await run(interruption.signal);
  } catch (error) {
    if (!interruption.signal.aborted) throw error;
    progress.end();
    const command = hint();
    console.error(
      `\nloopool: interrupted, no finished trial is lost${command === null ? "" : oneLine(`; to go on: ${command}`)}`,
    );
    return process.exit(exitCode);
  } finally {
    progress.end();
    for (const signal of signals) process.off(signal, interrupt);
  }
}
