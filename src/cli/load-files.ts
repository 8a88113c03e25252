import { accessSync, constants, writeFileSync } from "node:fs";
import { dirname, join, parse } from "node:path";
import type { GeneratorResult } from "../harness/drivers/result.js";
import { Histogram, isHistogram } from "../harness/load/histogram/histogram.js";
import { runCsv } from "../harness/report/csv.js";
import { hgrmOf } from "../harness/report/hgrm.js";
import { LoopoolError, messageOf, usageError } from "../shared/errors.js";
import { oneLine, terminalJson } from "../shared/terminal-text.js";
import { isTarget } from "./load-target.js";
import { text } from "./values/options.js";

/** Flags of `load` that name a file to write the result to, and what goes into it; `--json`, which needs no file, is the third. */
export const fileFlags = {
  hgrm: {
    describe:
      "file to write the latencies to as HdrHistogram's tools read them, in ms; of several kinds of request also one file each",
  },
  csv: {
    describe: "file to write the metrics of the run to, as one row, and a row for each of several kinds of request",
  },
} as const;

type FileFlag = keyof typeof fileFlags | "json";

/** Of several runs, which `--rate auto` makes, only JSON can hold all. */
const contents: Readonly<Record<FileFlag, (results: readonly GeneratorResult[]) => string>> = {
  hgrm: ([result]) => {
    const total = result!.latency.total;
    if (isHistogram(total)) return hgrmOf(Histogram.fromStored(total));
    throw new LoopoolError("NO_HISTOGRAM", "this generator tells a few percentiles and no histogram: leave --hgrm out");
  },
  csv: ([result]) => runCsv(result!),
  json: (results) => results.map(jsonLine).join(""),
};

/** The whole result in one line. */
export function jsonLine(result: GeneratorResult): string {
  return `${terminalJson({ schema: "loopool-load/3", ...result })}\n`;
}

/** Where `--json` asks for the result: null: nowhere; "-": standard output. */
export interface JsonAsked {
  readonly json: string | null;
  readonly url: unknown;
}

/**
 * The URL, and what `--json [FILE]` asks for. The flag takes what follows it, which may be the URL: no file is called like one. Throws a
 * usage error for two URLs.
 */
export function jsonAndUrl({ json, url }: Readonly<Record<string, unknown>>): JsonAsked {
  if (json === undefined || json === false) return { json: null, url };
  if (json === "") return { json: "-", url };
  const target = text("json", json);
  if (!isTarget(target)) return { json: target, url };
  if (url === undefined) return { json: "-", url: target };
  throw usageError(
    `there are two URLs, ${target} and ${String(url)}: load one at a time, and give --json a file or nothing`,
  );
}

/** The files that the flags name. Throws a usage error for one in a folder that cannot be written to: better before the run than after. */
export function resultFilesOf(
  argv: Readonly<Record<string, unknown>>,
  json: string | null,
): readonly (readonly [FileFlag, string])[] {
  const flags = (Object.keys(fileFlags) as (keyof typeof fileFlags)[]).filter((flag) => argv[flag] !== undefined);
  const files: (readonly [FileFlag, string])[] = flags.map((flag) => [flag, text(flag, argv[flag])]);
  if (json !== null && json !== "-") files.push(["json", json]);
  for (const [flag, file] of files) {
    try {
      accessSync(dirname(file), constants.W_OK);
    } catch (error) {
      throw usageError(`--${flag} ${file} cannot be written: ${messageOf(error)}; name a file in another folder`);
    }
  }
  return files;
}

/** Beside x.hgrm, of a run with several kinds of request, x.1.hgrm, x.2.hgrm, … for each of them in their order. */
function writeKinds(file: string, { kinds = [] }: GeneratorResult): void {
  const { dir, name, ext } = parse(file);
  for (const [index, kind] of kinds.entries()) {
    writeFileSync(
      join(dir, `${name}.${index + 1}${ext}`),
      hgrmOf(Histogram.fromStored(kind.total), oneLine(kind.name)),
    );
  }
}

/** Writes the results so far, of all runs. Throws a LoopoolError that names the flag when a file cannot be written. */
export function writeResultFiles(files: ReturnType<typeof resultFilesOf>, results: readonly GeneratorResult[]): void {
  for (const [flag, file] of files) {
    try {
      writeFileSync(file, contents[flag](results));
      if (flag === "hgrm") writeKinds(file, results[0]!);
    } catch (error) {
      throw new LoopoolError("RESULT_NOT_WRITTEN", `--${flag} ${file} cannot be written: ${messageOf(error)}`);
    }
  }
}
