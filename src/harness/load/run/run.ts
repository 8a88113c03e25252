import { addressOf } from "../connection/address.js";
import type { LoadOptions } from "../request/options.js";
import { kindsOf } from "../request/source.js";
import type { RunResult } from "../result/run-result.js";
import { Seconds } from "../tally/series.js";
import { SharedRunState } from "../tally/shared-run-state.js";
import { assignmentsOf } from "./assignment.js";
import { mergePartialResults } from "./merge.js";
import { runAssignment } from "./partial-result.js";

/**
 * Sends requests over `concurrency` connections, in a closed loop or at a rate, until `requests` are sent or the duration is over, and
 * accounts for every one of them, in this thread alone. Throws a LoopoolError where the target's name has no address.
 * When `signal` aborts, no more are sent, those in flight count as interrupted, and the result says how many were sent.
 */
export async function run(options: LoadOptions, signal?: AbortSignal): Promise<RunResult> {
  const address = await addressOf(options.target);
  const [assignment] = assignmentsOf(options, address, 1);
  const seconds = new Seconds(1);
  const hooks = {
    begin: () => performance.now(),
    onSecond: seconds.add.bind(seconds, 0),
  };
  const part = await runAssignment(assignment!, hooks, signal);
  const { peakConnections } = new SharedRunState(assignment!.memory, kindsOf(options).length);
  return mergePartialResults(options, [part], { peakConnections, perSecond: seconds.finish() });
}
