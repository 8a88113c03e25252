import type { LoadOptions } from "./options.js";
import { sharedRunStateMemory } from "./shared-run-state.js";

/** What one thread does of a run. Can be posted to it. */
export interface Assignment {
  /** Of the whole run. */
  readonly options: LoadOptions;
  /** The target's, looked up. */
  readonly address: string;
  readonly threads: number;
  /** Number of this thread, from 0. */
  readonly thread: number;
  /** Its connections. */
  readonly connections: number;
  /** Requests that are its own, whatever the others do; Infinity where the duration ends the run. */
  readonly requests: number;
  /** A `Common` of all threads of the run. */
  readonly memory: SharedArrayBuffer;
}

/**
 * The run divided: connections as evenly as they can be. The requests of an open loop are dealt out in turn, so that all together are the
 * one schedule. Those of a closed loop are its connections' first ones; what follows is taken by whoever is ready, so that no thread is done
 * while another has work for all its connections.
 */
export function assignmentsOf(options: LoadOptions, address: string, threads: number): readonly Assignment[] {
  const { concurrency, rate = null } = options;
  const requests = requestsOf(options);
  const dealt = threads === 1 || rate !== null || requests === Number.POSITIVE_INFINITY;
  const memory = sharedRunStateMemory(dealt ? 0 : requests - concurrency);
  return Array.from({ length: threads }, (_, thread) => {
    const connections = Math.ceil((concurrency - thread) / threads);
    const own = dealt ? Math.ceil((requests - thread) / threads) : connections;
    return { options, address, threads, thread, connections, requests: own, memory };
  });
}

/** Requests that a run is to send: all whose intended time lies in the duration, at most `requests`; Infinity where it only ends by time. */
export function requestsOf({ requests, rate = null, durationMs = null }: LoadOptions): number {
  if (rate === null || durationMs === null) return requests;
  // Number k, from 0, is to be sent after k ÷ rate seconds. Less the rounding of the product.
  const product = (rate * durationMs) / 1000;
  return Math.min(requests, Math.max(1, Math.ceil(product - product * 1e-12)));
}

/** How long the schedule of an open loop is: its duration, or where a number of requests ends it a period for each. */
export function scheduleMsOf(options: LoadOptions, rate: number): number {
  return Math.min(options.durationMs ?? Number.POSITIVE_INFINITY, (1000 * requestsOf(options)) / rate);
}
