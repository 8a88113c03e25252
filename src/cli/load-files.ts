import { accessSync, constants, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { GeneratorResult } from "../drivers/result.js";
import { Histogram, isHistogram } from "../load/histogram.js";
import { runCsv } from "../report/csv.js";
import { hgrmOf } from "../report/hgrm.js";
import { LoopoolError, messageOf, usageError } from "../shared/errors.js";
import { text } from "./options.js";

/** Flags of `load` that name a file to write the result to, and what goes into it. */
export const fileFlags = {
  hgrm: { describe: "file to write the latencies to as HdrHistogram's tools read them, in ms" },
  csv: { describe: "file to write the figures of the run to, as one row" },
} as const;

const contents: Readonly<Record<keyof typeof fileFlags, (result: GeneratorResult) => string>> = {
  hgrm: ({ latency: { total } }) => {
    if (isHistogram(total)) return hgrmOf(Histogram.fromStored(total));
    throw new LoopoolError("NO_HISTOGRAM", "this generator tells a few percentiles and no histogram: leave --hgrm out");
  },
  csv: runCsv,
};

/** The files that the flags name. Throws a usage error for one in a folder that cannot be written to: better before the run than after. */
export function resultFilesOf(
  argv: Readonly<Record<string, unknown>>,
): readonly (readonly [keyof typeof fileFlags, string])[] {
  const flags = (Object.keys(fileFlags) as (keyof typeof fileFlags)[]).filter((flag) => argv[flag] !== undefined);
  return flags.map((flag) => {
    const file = text(flag, argv[flag]);
    try {
      accessSync(dirname(file), constants.W_OK);
    } catch (error) {
      throw usageError(`--${flag} ${file} cannot be written: ${messageOf(error)}; name a file in another folder`);
    }
    return [flag, file] as const;
  });
}

/** Throws a LoopoolError that names the flag when a file cannot be written. */
export function writeResultFiles(files: ReturnType<typeof resultFilesOf>, result: GeneratorResult): void {
  for (const [flag, file] of files) {
    try {
      writeFileSync(file, contents[flag](result));
    } catch (error) {
      throw new LoopoolError("RESULT_NOT_WRITTEN", `--${flag} ${file} cannot be written: ${messageOf(error)}`);
    }
  }
}
