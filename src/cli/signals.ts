import { constants } from "node:os";

/** Signals that ask a command to end. */
const ending = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * npm passes on to its child a Ctrl-C that the terminal has sent to both: the same wish arrives twice. A second signal within this time is
 * no second wish.
 */
const ECHO_MS = 500;

let isEnding = false;

/** Ends this process as a SIGTERM would, unless a signal has asked for that before. */
export function askToEnd(): void {
  if (!isEnding) process.kill(process.pid, "SIGTERM");
}

/** The exit code by which a shell reports a process that a signal ended. */
export function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

/**
 * Calls `end` at the first signal that asks this process to end; one that comes later ends it at once, with the exit code of that signal.
 * `signals` are those to listen for. Returns how to stop listening.
 */
export function onEndingSignal(
  end: (signal: NodeJS.Signals) => void,
  signals: readonly NodeJS.Signals[] = ending,
): () => void {
  let firstMs: number | null = null;
  const listener = (signal: NodeJS.Signals): void => {
    if (firstMs === null) {
      firstMs = performance.now();
      isEnding = true;
      end(signal);
    } else if (performance.now() - firstMs > ECHO_MS) {
      process.exit(exitCodeOf(signal));
    }
  };
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
}
