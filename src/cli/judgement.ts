import type { Judgement } from "../harness/report/fail-if.js";
import { oneLine } from "../shared/terminal-text.js";

/** `--fail-if` is undecided: an interval holds the limit, or there is nothing to judge. */
const NOT_JUDGED = 3;

/** Says what `--fail-if` found, and sets the exit code: 1 where it is met, 3 where that is not decided. A failure of another kind stands. */
export function reportJudgement({ failures, unknown }: Judgement): void {
  for (const text of [...failures, ...unknown]) console.error(`loopool: --fail-if ${oneLine(text)}`);
  if (failures.length > 0) process.exitCode = 1;
  else if (unknown.length > 0) process.exitCode ??= NOT_JUDGED;
}
