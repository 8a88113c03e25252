import { beginNew, nextBlocksOf, trialTimeoutOf } from "../cli/sweep-begin.js";
import { continueSweep, type SweepProgress } from "../harness/sweep/sweep.js";
import { flagsOf, inOptionNames, type Kinds } from "./flags.js";
import type { SweepOptions, SweepOutcome } from "./types.js";

const kinds: Kinds<Omit<SweepOptions, "signal" | "onProgress" | "targets">> = {
  cores: "list",
  concurrency: "list",
  requests: "value",
  warmup: "value",
  trials: "value",
  path: "value",
  rate: "list",
  duration: "value",
  threads: "value",
  driver: "value",
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
  trialTimeout: "value",
};

const names = { ...kinds, targets: "value", target: "value" } as const;

/** See `sweep` of the package. */
export async function sweep(options: SweepOptions): Promise<SweepOutcome> {
  const { signal = new AbortController().signal, onProgress = () => {}, targets = {}, ...rest } = options;
  signal.throwIfAborted();
  return await inOptionNames(names, async () => {
    const flags = flagsOf("sweep", rest, kinds);
    const target = Object.entries(targets).map(([name, url]) => `${name}=${url}`);
    const timeoutMs = trialTimeoutOf(flags["trialTimeout"]);
    const given = target.length === 0 ? rest : { ...rest, targets };
    const command = `sweep(${JSON.stringify(given)})`;
    const begun = await beginNew(
      { ...flags, target: target.length === 0 ? undefined : target },
      command,
      timeoutMs,
      signal,
    );
    const progress: SweepProgress = {
      trialStarts() {},
      trialEnded: (trial, state) => onProgress({ ...state, file: begun.file, trial }),
    };
    const { file } = begun;
    const next = nextBlocksOf(begun.result);
    try {
      return { file, result: await continueSweep(file, begun.result, timeoutMs, progress, signal, next) };
    } catch (error) {
      // What an abort makes of a trial is of no interest.
      signal.throwIfAborted();
      throw error;
    }
  });
}
