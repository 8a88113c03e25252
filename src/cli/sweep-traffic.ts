import { type StoredRequests, storeRequests } from "../harness/load/request/stored.js";
import { usageError } from "../shared/errors.js";
import { requestFlags, requestsOf } from "./requests/flags.js";
import { text } from "./values/options.js";

type Values = Readonly<Record<string, unknown>>;

/** It is written anew with every trial. */
const MAX_STORED_BYTES = 4 * 1024 * 1024;

/** `--request 'POST /render'` as `--method` and `--path`. Throws a usage error. */
export function withRequest(argv: Values): Values {
  if (argv["request"] === undefined) return argv;
  const given = text("request", argv["request"]);
  const [, method, path] = /^\s*(?:(\S+)\s+)?(\/\S*)\s*$/.exec(given) ?? [];
  if (path === undefined)
    throw usageError(`--request must be a method and a path, like 'POST /render', not "${given}"`);
  const twice = ["method", "path"].find((flag) => argv[flag] !== undefined);
  if (twice !== undefined) throw usageError(`--request says --${twice} too: leave one out`);
  const { request: _, ...others } = argv;
  return { ...others, path, ...(method === undefined ? {} : { method }) };
}

/** What a sweep sends. */
export interface Traffic {
  readonly requests: StoredRequests;
  /** Its requests differ, so that their answers may. */
  readonly varied: boolean;
}

/** Whether the flags say more of the requests than their path. */
export function saysTraffic(argv: Values): boolean {
  return Object.keys(requestFlags).some((flag) => argv[flag] !== undefined);
}

/** What the flags ask to send; null: a GET of the path. Throws a usage error. */
export async function trafficOf(
  argv: Values,
  path: string,
): Promise<{ readonly traffic: Traffic | null; readonly notes: readonly string[] }> {
  if (!saysTraffic(argv)) return { traffic: null, notes: [] };
  const asked = await requestsOf(argv, { path: argv["requests-file"] === undefined ? path : "/", authority: "" });
  const requests = storeRequests(asked);
  const bytes = Buffer.byteLength(JSON.stringify(requests));
  if (bytes > MAX_STORED_BYTES) {
    throw usageError(
      `what is sent takes ${bytes} bytes in the result, ${MAX_STORED_BYTES} are the most: use a shorter body, or fewer rows of --fields`,
    );
  }
  return { traffic: { requests, varied: asked.varied }, notes: asked.notes };
}
