import { measure, prepareLoad } from "../cli/load-run.js";
import { usageError } from "../shared/errors.js";
import { flagsOf, inOptionNames, type Kinds } from "./flags.js";
import type { LoadOptions, LoadResult } from "./types.js";

const kinds: Kinds<Omit<LoadOptions, "signal" | "headers" | "form">> = {
  requests: "value",
  duration: "value",
  rate: "value",
  concurrency: "value",
  threads: "value",
  timeout: "value",
  warmup: "value",
  keepAlive: "boolean",
  verify: "boolean",
  sha256: "value",
  byFirstByte: "boolean",
  localAddress: "value",
  driver: "value",
  arrivals: "value",
  ramp: "value",
  seed: "value",
  method: "value",
  body: "value",
  bodyFile: "value",
  expectStatus: "value",
  requestsFile: "value",
  fields: "value",
  variableLength: "boolean",
  insecure: "boolean",
  ca: "value",
  unixSocket: "value",
};

/** Options that become flags of another form. */
const names = { ...kinds, headers: "value", header: "value", form: "value" } as const;

/** See `load` of the package. */
export async function load(url: string, options: LoadOptions): Promise<LoadResult> {
  const { signal = new AbortController().signal, headers = {}, form, ...rest } = options;
  signal.throwIfAborted();
  return await inOptionNames(names, async () => {
    if (rest.rate !== undefined && typeof rest.rate !== "number") {
      throw usageError(`rate must be a number of requests per second, not "${String(rest.rate)}"`);
    }
    const header = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const given = form === undefined ? {} : { form: Object.entries(form).map(([name, value]) => `${name}=${value}`) };
    const prepared = await prepareLoad({ keepAlive: true, ...flagsOf("load", rest, kinds), ...given, header, url });
    try {
      return await measure(prepared, signal);
    } finally {
      await prepared.generator.close();
    }
  });
}
