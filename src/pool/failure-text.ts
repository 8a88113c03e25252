import { messageOf } from "../shared/errors.js";

/** What a thread tells another of a failure: its message and, where it has one, where it was thrown. */
const SEPARATOR = "\0";
const MAX_STACK_LENGTH = 4000;

/** Anything may be thrown, also what cannot be shown. Never throws. */
export function textOfFailure(thrown: unknown): string {
  try {
    const message = String(messageOf(thrown));
    const stack = thrown instanceof Error ? thrown.stack : undefined;
    return typeof stack === "string" ? `${message}${SEPARATOR}${stack.slice(0, MAX_STACK_LENGTH)}` : message;
  } catch {
    return "it threw something that cannot be printed";
  }
}

/** The failure of another thread; null: none. */
export function failureOf(text: string | null): Error | null {
  if (text === null) return null;
  const [message, stack] = text.split(SEPARATOR, 2) as [string, string?];
  const failure = new Error(message);
  if (stack !== undefined) failure.stack = stack;
  return failure;
}
