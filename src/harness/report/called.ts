import type { SweepResult } from "../sweep/result.js";

/**
 * A command of loopool as whoever made this result can type it: a script of loopool's own checkout where one of its scripts began the sweep,
 * else by npx. Of the result alone, so that a report is the same whoever makes it.
 */
export function calledAs({ command }: Pick<SweepResult, "command">, name: string, ...args: readonly string[]): string {
  const isScript = command.startsWith("npm run ");
  return [isScript ? `npm run ${name} --` : `npx loopool ${name}`, ...args].join(" ");
}
