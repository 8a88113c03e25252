import { usageError } from "../shared/errors.js";
import { openFilesLimit } from "../shared/process-limits.js";

/** Descriptors that a generator has open beside its connections, with room to spare. */
const SPARE_DESCRIPTORS = 50;
/** What the event loop of one more thread has open. */
const DESCRIPTORS_PER_THREAD = 4;

/**
 * Every connection is an open file: too few of them would look like a server that refuses. Throws a usage error with the remedy.
 * Node raises its soft limit to the hard one when it starts, so it is the hard one that is too low, and only root can raise that.
 */
export function checkOpenFiles(concurrency: number, threads = 1, limit: number | null = openFilesLimit()): void {
  const spare = spareOf(threads);
  const needed = concurrency + spare;
  if (limit === null || needed <= limit) return;
  const most = limit - spare;
  const fewer = most > 0 ? `, or use --concurrency ${most} or less` : "";
  throw usageError(
    `--concurrency ${concurrency} needs ${needed} open files, ${limit} are allowed: ` +
      `run "ulimit -n ${needed}" first, as root where the shell refuses${fewer}`,
  );
}

/** How many connections the limit leaves room for, at least one; Infinity where there is none. */
export function mostConnections(threads: number, limit: number | null = openFilesLimit()): number {
  return limit === null ? Number.POSITIVE_INFINITY : Math.max(1, limit - spareOf(threads));
}

function spareOf(threads: number): number {
  return SPARE_DESCRIPTORS + (threads - 1) * DESCRIPTORS_PER_THREAD;
}
