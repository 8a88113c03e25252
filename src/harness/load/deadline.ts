/** A signal with a time limit; `clear` when it is no longer needed. */
export interface Deadline {
  readonly signal: AbortSignal;
  clear(): void;
}

/**
 * Aborts when `signal` does, or after `timeoutMs`. AbortSignal.any holds what it is given weakly: an AbortSignal.timeout that nobody else holds can
 * be collected by Node 20, and then never aborts.
 */
export function deadline(signal: AbortSignal, timeoutMs: number): Deadline {
  const controller = new AbortController();
  const abort = (): void => controller.abort(signal.reason);
  const timer = setTimeout(() => controller.abort(new DOMException("the time is up", "TimeoutError")), timeoutMs);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  return {
    signal: controller.signal,
    clear() {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
    },
  };
}
