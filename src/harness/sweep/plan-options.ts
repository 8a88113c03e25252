import { type LoadOptions, targetOf } from "../load/request/options.js";
import { restoreRequests } from "../load/request/stored.js";
import type { SweepPlan } from "./result.js";

/** As long as `load` allows a request. */
export const REQUEST_TIMEOUT_MS = 30_000;

/** What a plan sends to a server whose URL is `origin` (without a path, or with one that stands before all others): one request of it. */
export function requestOptions(
  { keepAlive, path, traffic, variableLength = false }: SweepPlan,
  origin: string,
): LoadOptions {
  const url = origin.replace(/\/$/, "");
  const asked = traffic === undefined ? null : restoreRequests(traffic);
  return {
    target: targetOf(asked === null ? `${url}${path}` : `${url}/`),
    requests: 1,
    concurrency: 1,
    keepAlive,
    timeoutMs: REQUEST_TIMEOUT_MS,
    headers: [],
    byFirstByte: false,
    ...(asked ?? {}),
    variableLength,
  };
}

/** The same of each kind of request alone. */
export function eachKind(options: LoadOptions): readonly LoadOptions[] {
  const { kinds } = options;
  return kinds === undefined ? [options] : kinds.map((kind) => ({ ...options, kinds: [kind] }));
}
