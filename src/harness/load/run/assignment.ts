import type { LoadOptions } from "../request/options.js";
import { kindsOf } from "../request/source.js";
import { timetableOf } from "../schedule/timetable.js";
import { sharedRunStateMemory } from "../tally/shared-run-state.js";

/** What one thread does of a run. Can be posted to it. */
export interface Assignment {
  /** Of the whole run. */
  readonly options: LoadOptions;
  /** The target's, looked up. */
  readonly address: string;
  readonly threads: number;
  /** Number of this thread, from 0. */
  readonly thread: number;
  /** Its connections; where they grow, at most. */
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
  const memory = sharedRunStateMemory(dealt ? 0 : requests - concurrency, kindsOf(options).length);
  return Array.from({ length: threads }, (_, thread) => {
    const connections = Math.ceil((concurrency - thread) / threads);
    const own = dealt ? Math.ceil((requests - thread) / threads) : connections;
    return { options, address, threads, thread, connections, requests: own, memory };
  });
}

/** Requests that a run is to send: in an open loop those of its schedule; Infinity where it only ends by time. */
export function requestsOf(options: LoadOptions): number {
  const { requests, rate = null } = options;
  return rate === null ? requests : timetableOf(options, rate).requests;
}
