import { readFileSync } from "node:fs";
import { type LoadOptions, type Target, targetOf } from "../load/request/options.js";
import { restoreRequests } from "../load/request/stored.js";
import type { SweepPlan } from "./result.js";

/** As long as `load` allows a request. */
const REQUEST_TIMEOUT_MS = 30_000;

/** The URL that a generator is given for a server of a plan: with `traffic` what stands before all paths. */
export function urlOf({ path, traffic }: SweepPlan, origin: string): string {
  return traffic === undefined ? `${origin}${path}` : `${origin}/`;
}

/** What a plan sends to `url`, as its generators do: one request of it. */
export function requestOptions(plan: SweepPlan, url: string): LoadOptions {
  const { keepAlive, traffic, variableLength = false } = plan;
  const target = withTls(plan, targetOf(url));
  const prefix = target.path.replace(/[?#].*$/s, "").replace(/\/$/, "");
  const asked = traffic === undefined ? null : restoreRequests(traffic);
  return {
    target,
    requests: 1,
    concurrency: 1,
    keepAlive,
    timeoutMs: REQUEST_TIMEOUT_MS,
    headers: [],
    byFirstByte: false,
    ...(asked === null
      ? {}
      : { ...asked, kinds: asked.kinds.map((kind) => ({ ...kind, path: `${prefix}${kind.path}` })) }),
    variableLength,
  };
}

function withTls({ tls }: SweepPlan, target: Target): Target {
  if (!target.tls || tls === undefined) return target;
  return { ...target, tls: { insecure: tls.insecure, ca: tls.ca === null ? null : readFileSync(tls.ca, "utf8") } };
}

/** The same of each kind of request alone. */
export function eachKind(options: LoadOptions): readonly LoadOptions[] {
  const { kinds } = options;
  return kinds === undefined ? [options] : kinds.map((kind) => ({ ...options, kinds: [kind] }));
}
