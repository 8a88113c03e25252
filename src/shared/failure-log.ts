import { inspect } from "node:util";
import type { ServerConfig } from "./config.js";
import { oneLine } from "./terminal-text.js";

/**
 * Failures of user code on standard error: one line a second at most and one line each, so that a failing handler under load does not become
 * a failing disk. How many there were is in the stats. Nothing in here throws, whatever was thrown.
 */

const LOG_INTERVAL_MS = 1000;
const MAX_TEXT_LENGTH = 2000;
/** Between the frames of a stack. */
const FRAME_BREAK = /\n\s+at /g;

/** The failures of one thread. */
export class FailureLog {
  readonly #write: (line: string) => void;
  readonly #nowMs: () => number;
  #lastMs = Number.NEGATIVE_INFINITY;
  #unlogged = 0;

  /** `nowMs`: of a clock that never goes back. */
  constructor(write: (line: string) => void, nowMs: () => number) {
    this.#write = write;
    this.#nowMs = nowMs;
  }

  /** Logs `what`, which says who failed, and what was thrown, if there is anything to say of it: an error with its stack, or any other value. */
  add(what: string, ...thrown: readonly unknown[]): void {
    const nowMs = this.#nowMs();
    if (nowMs - this.#lastMs < LOG_INTERVAL_MS) {
      this.#unlogged++;
      return;
    }
    const others = this.#unlogged > 0 ? ` (and ${this.#unlogged} more failures since the last line)` : "";
    const text = shortened([what, ...thrown.map(textOfThrown)].join(": "));
    this.#lastMs = nowMs;
    this.#unlogged = 0;
    try {
      this.#write(`loopool: ${text}${others}`);
    } catch {
      // Somebody has replaced console.error, or standard error is closed.
    }
  }
}

/** This thread's, on standard error. */
const failureLog = new FailureLog(
  (line) => console.error(line),
  () => performance.now(),
);

const silence = new FailureLog(
  () => {},
  () => performance.now(),
);

/** Where this thread's failures go: nowhere, where its server is to say nothing. */
export function failureLogOf({ diagnostics }: Pick<ServerConfig, "diagnostics">): FailureLog {
  return diagnostics ? failureLog : silence;
}

/** Tells whoever runs the server what is wrong with it, in a line on standard error, unless it is to say nothing. */
export function tellOperator({ diagnostics }: Pick<ServerConfig, "diagnostics">, line: string): void {
  if (diagnostics) console.error(`loopool: ${line}`);
}

/** What was thrown, for a person: the stack of an error, of anything else what it looks like. Never throws. */
export function textOfThrown(thrown: unknown): string {
  try {
    if (thrown instanceof Error) {
      const { stack, message } = thrown;
      if (typeof stack === "string" && stack !== "") return stack;
      if (typeof message === "string" && message !== "") return message;
    }
    if (typeof thrown === "string") return thrown;
    return inspect(thrown, { depth: 1, customInspect: false, showProxy: true, breakLength: Number.POSITIVE_INFINITY });
  } catch {
    // A Proxy, or a getter that throws itself.
    return `a value of type ${typeof thrown} that cannot be shown`;
  }
}

function shortened(text: string): string {
  const cut = text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH)}…` : text;
  return oneLine(cut.replace(FRAME_BREAK, " at "));
}
