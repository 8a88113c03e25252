import { beginNew, nextBlocksOf, trialTimeoutOf } from "../cli/sweep-begin.js";
import { continueSweep, type SweepProgress } from "../harness/sweep/sweep.js";
import { flagsOf, inOptionNames, type Kinds } from "./flags.js";
import type { SweepOptions, SweepOutcome } from "./types.js";

const kinds: Kinds<Omit<SweepOptions, "signal" | "onProgress" | "targets" | "targetCommands" | "headers" | "form">> = {
  cores: "list",
  concurrency: "list",
  requests: "value",
  warmup: "value",
  trials: "value",
  path: "value",
  method: "value",
  body: "value",
  bodyFile: "value",
  expectStatus: "value",
  requestsFile: "value",
  fields: "value",
  variableLength: "boolean",
  arrivals: "value",
  ramp: "value",
  rate: "list",
  duration: "value",
  threads: "value",
  driver: "value",
  against: "value",
  until: "value",
  maxTrials: "value",
  maxMinutes: "value",
  seed: "value",
  adapter: "value",
  workers: "value",
  handlers: "value",
  pin: "value",
  serverCpus: "list",
  keepAlive: "boolean",
  quick: "boolean",
  aa: "boolean",
  name: "value",
  out: "value",
  insecure: "boolean",
  ca: "value",
  trialTimeout: "value",
};

const names = {
  ...kinds,
  targets: "value",
  target: "value",
  targetCommands: "value",
  targetCommand: "value",
  headers: "value",
  header: "value",
  form: "value",
} as const;

/** The values of a flag that is given once for each entry; none without one. */
function repeated(
  flag: string,
  entries: Readonly<Record<string, string>>,
  between = "=",
): Record<string, readonly string[]> {
  const values = Object.entries(entries).map(([name, value]) => `${name}${between}${value}`);
  return values.length === 0 ? {} : { [flag]: values };
}

/** See `sweep` of the package. */
export async function sweep(options: SweepOptions): Promise<SweepOutcome> {
  const {
    signal = new AbortController().signal,
    onProgress = () => {},
    targets = {},
    targetCommands = {},
    headers = {},
    form = {},
    ...rest
  } = options;
  signal.throwIfAborted();
  return await inOptionNames(names, async () => {
    const flags = flagsOf("sweep", rest, kinds);
    const maps = Object.entries({ targets, targetCommands, headers, form }).filter(
      ([, map]) => Object.keys(map).length > 0,
    );
    const timeoutMs = trialTimeoutOf(flags["trialTimeout"]);
    const given = { ...rest, ...Object.fromEntries(maps) };
    const command = `sweep(${JSON.stringify(given)})`;
    const begun = await beginNew(
      {
        ...flags,
        ...repeated("target", targets),
        ...repeated("target-command", targetCommands),
        ...repeated("header", headers, ": "),
        ...repeated("form", form),
      },
      command,
      timeoutMs,
      signal,
    );
    const progress: SweepProgress = {
      trialStarts() {},
      trialEnded: (trial, state) => onProgress({ ...state, file: begun.file, trial }),
    };
    const { file, serverScript } = begun;
    const next = nextBlocksOf(begun.result);
    try {
      return { file, result: await continueSweep(file, begun.result, timeoutMs, progress, signal, next, serverScript) };
    } catch (error) {
      // What an abort makes of a trial is of no interest.
      signal.throwIfAborted();
      throw error;
    }
  });
}
