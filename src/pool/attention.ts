import type { ClaimRing } from "../shared/memory/claim-ring.js";
import type { Parking } from "../shared/memory/parking.js";
import type { WorkerHost } from "./worker-host.js";

/** How long a worker may leave waiting requests alone where no time limit for requests is set. */
const DEFAULT_LIMIT_MS = 10_000;
/** A busy machine may keep a healthy worker from its CPU for a while, however short the time limit of requests is. */
const MIN_LIMIT_MS = 1000;
/** Looks at the workers within the limit: a dead one is noticed a fifth too late at most. */
const LOOKS_PER_LIMIT = 5;

/**
 * Replaces workers that have stopped taking requests: a worker that holds none, runs no handler, and does not look for work although
 * requests wait is dead, whatever keeps it. A callback that loops for ever in its event loop can be the reason, or a thousand promises that never
 * settle. What a worker does with a request it holds is for the request's own time limit. Returns the timer; the main thread's.
 */
export function replaceInattentive(
  hosts: readonly WorkerHost[],
  ring: ClaimRing,
  parking: Parking,
  requestTimeoutMs: number | null,
): NodeJS.Timeout {
  const limitMs = Math.max(MIN_LIMIT_MS, requestTimeoutMs ?? DEFAULT_LIMIT_MS);
  const lastLooks = hosts.map(() => 0);
  const idleLooks = hosts.map(() => 0);

  const look = (): void => {
    const isWaited = !ring.isEmpty;
    hosts.forEach((host, worker) => {
      const looks = parking.looksOf(worker);
      const isQuiet = isWaited && host.isReady && looks === lastLooks[worker] && parking.taskOf(worker) === 0;
      lastLooks[worker] = looks;
      if (!isQuiet || ring.heldBy(worker).length > 0) {
        idleLooks[worker] = 0;
        return;
      }
      idleLooks[worker]! += 1;
      if (idleLooks[worker]! < LOOKS_PER_LIMIT) return;
      idleLooks[worker] = 0;
      host.kill("it held no request and took none while some waited");
    });
  };
  return setInterval(look, limitMs / LOOKS_PER_LIMIT).unref();
}
