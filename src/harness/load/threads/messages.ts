import type { LoadOptions } from "../request/options.js";
import type { Assignment } from "../run/assignment.js";
import type { PartialResult } from "../run/partial-result.js";
import type { ThreadSecond } from "../tally/series.js";

/** What a thread of the generator is asked. */
export type ToThread =
  /** Answered by `warm`. */
  | { readonly type: "warm-up"; readonly options: LoadOptions }
  /** Answered by `ready`, when nothing is left to prepare. */
  | { readonly type: "run"; readonly assignment: Assignment }
  /** All are ready: at this time of process.hrtime, which is one clock for all threads, they begin. Answered by `second`s, then `part`. */
  | { readonly type: "begin"; readonly atNs: bigint }
  /** No more requests; what is asked is answered all the same. */
  | { readonly type: "stop" };

/** What it answers. */
export type FromThread =
  | { readonly type: "warm" }
  | { readonly type: "ready" }
  | { readonly type: "second"; readonly second: ThreadSecond }
  | { readonly type: "part"; readonly part: PartialResult };
