import { once } from "node:events";
import { parentPort } from "node:worker_threads";
import type { Assignment } from "../run/assignment.js";
import { runAssignment } from "../run/partial-result.js";
import { warmUpGenerator } from "../run/warm-up.js";
import type { FromThread, ToThread } from "./messages.js";

/** A thread of the generator: does what the main thread asks, one thing after the other. What it throws ends it, and the main thread hears of that. */
const main = parentPort!;
/** Of what is asked at present. */
let interruption = new AbortController();

main.on("message", async (message: ToThread) => {
  if (message.type === "stop") {
    interruption.abort();
  } else if (message.type !== "begin") {
    interruption = new AbortController();
    if (message.type === "warm-up") {
      await warmUpGenerator(message.options, interruption.signal);
      tell({ type: "warm" });
    } else {
      tell({ type: "part", part: await runShare(message.assignment, interruption.signal) });
    }
  }
});

function runShare(assignment: Assignment, signal: AbortSignal) {
  return runAssignment(assignment, { begin, onSecond: (second) => tell({ type: "second", second }) }, signal);
}

/** Sleeps until the instant that all threads begin at. */
async function begin(): Promise<number> {
  const asked = nextBegin();
  tell({ type: "ready" });
  const atNs = await asked;
  const startMs = performance.now() + Number(atNs - process.hrtime.bigint()) / 1e6;
  const nobody = new Int32Array(new SharedArrayBuffer(4));
  // A futex is woken within some 50 µs, a timer of the event loop within a millisecond or two.
  for (let leftMs = startMs - performance.now(); leftMs > 0; leftMs = startMs - performance.now()) {
    Atomics.wait(nobody, 0, 0, leftMs);
  }
  return startMs;
}

async function nextBegin(): Promise<bigint> {
  for (;;) {
    const [message] = (await once(main, "message")) as [ToThread];
    if (message.type === "begin") return message.atNs;
  }
}

function tell(message: FromThread): void {
  main.postMessage(message);
}
