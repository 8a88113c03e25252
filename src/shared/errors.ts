/**
 * A failure that a user can mend. The message names the flag, file or port and the remedy, in one line.
 * Commands print it without a stack and exit with `exitCode`: 2 for what the user typed, 1 for what the machine refused.
 */
export class LoopoolError extends Error {
  /** Stable, for scripts: it does not change when the message is worded better. */
  readonly code: string;
  readonly exitCode: 1 | 2;

  constructor(code: string, message: string, exitCode: 1 | 2 = 1, options?: ErrorOptions) {
    super(message, options);
    this.name = "LoopoolError";
    this.code = code;
    this.exitCode = exitCode;
  }
}

/** The value of a flag, a file or a key cannot be used (exit code 2). */
export function usageError(message: string): LoopoolError {
  return new LoopoolError("USAGE", message, 2);
}

/** The text of anything thrown, for a message. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What to say of a module that ended its process or thread with `code` while it was imported. */
export function endedByImport(file: string, code: number): LoopoolError {
  return usageError(`--handlers ${file} called process.exit(${code}) when it was imported: it must not end the server`);
}
