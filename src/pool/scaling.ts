import { messageOf } from "../shared/errors.js";
import type { ClaimRing } from "../shared/memory/claim-ring.js";
import type { Parking } from "../shared/memory/parking.js";
import { Counter, ThreadStats } from "../shared/stats/stats.js";
import { oneLine } from "../shared/terminal-text.js";
import type { WorkerHost } from "./worker-host.js";

const TICK_MS = 50;
/** Ticks in a row with requests waiting and nobody idle before one more worker is started: a burst alone is not worth a thread. */
const BACKLOG_TICKS = 2;

export interface ScalingOptions {
  readonly min: number;
  readonly idleMs: number;
  /** Tells whoever runs the server. */
  tell(line: string): void;
}

/**
 * Starts a worker when requests keep waiting while none is idle, one at a time, up to the number of places; retires one that has
 * handled nothing for `idleMs`, down to `min`. Returns the timer; the main thread's.
 */
export function scaleWorkers(
  hosts: readonly WorkerHost[],
  ring: ClaimRing,
  parking: Parking,
  stats: SharedArrayBuffer,
  { min, idleMs, tell }: ScalingOptions,
): NodeJS.Timeout {
  const handledBy = hosts.map((_, worker) => new ThreadStats(stats, 1 + worker));
  const lastHandled = hosts.map(() => -1);
  const idleSinceMs = hosts.map(() => 0);
  let backlogTicks = 0;

  const grow = (): void => {
    const anyIdle = hosts.some((host, worker) => host.isReady && parking.isParked(worker));
    backlogTicks = ring.isEmpty || anyIdle ? 0 : backlogTicks + 1;
    if (backlogTicks < BACKLOG_TICKS) return;
    backlogTicks = 0;
    // A failure is told by the host, which tries again by itself only for places that had a worker.
    hosts
      .find((host) => host.isVacant)
      ?.start()
      .catch((error: unknown) => {
        tell(`one more worker does not start: ${oneLine(messageOf(error))}`);
      });
  };

  const shrink = (nowMs: number): void => {
    hosts.forEach((_, worker) => {
      const handled = handledBy[worker]!.get(Counter.handled);
      if (handled !== lastHandled[worker] || !parking.isParked(worker)) idleSinceMs[worker] = nowMs;
      lastHandled[worker] = handled;
    });
    const ready = hosts.filter((host) => host.isReady).length;
    if (ready <= min) return;
    // A stream may go on for days: its worker stays until it has ended.
    const worker = hosts.findLastIndex(
      ({ isReady, openStreams }, i) => isReady && openStreams === 0 && nowMs - idleSinceMs[i]! >= idleMs,
    );
    const holdsNothing = (): boolean => ring.heldBy(worker).length === 0 && hosts[worker]!.openStreams === 0;
    if (worker !== -1 && holdsNothing() && parking.retire(worker)) hosts[worker]!.expectRetirement(holdsNothing);
  };

  return setInterval(() => {
    grow();
    shrink(performance.now());
  }, TICK_MS).unref();
}
