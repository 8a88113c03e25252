import { constants } from "node:fs";
import { access, mkdir, open, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { LoopoolError, messageOf } from "../shared/errors.js";
import type { SweepResult } from "./result.js";

/**
 * A new result's path: `<date>-<name>.json` in the folder, which is made if need be; `-2`, `-3`, … where that is taken.
 * Throws a LoopoolError when the folder cannot be written.
 */
export async function newResultFile(folder: string, name: string, date: Date): Promise<string> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
    const taken = new Set(await readdir(folder));
    const base = `${date.toISOString().slice(0, 10)}-${name}`;
    let file = `${base}.json`;
    for (let n = 2; taken.has(file); n++) file = `${base}-${n}.json`;
    return join(folder, file);
  } catch (error) {
    throw new LoopoolError(
      "RESULT_NOT_WRITTEN",
      `cannot write results to ${folder}: ${messageOf(error)}; name another with --out`,
    );
  }
}

/** Writes the whole result so that the file is, at every moment and after a loss of power too, the last state or this one. */
export async function writeResult(file: string, result: SweepResult): Promise<void> {
  const temporary = `${file}.tmp`;
  const handle = await open(temporary, "w");
  try {
    await handle.writeFile(encode(result));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}

/** Indented, but one line a trial: a trial's histograms are long. */
function encode({ trials, ...rest }: SweepResult): string {
  const head = JSON.stringify(rest, null, 2).slice(0, -2);
  const lines = trials.map((trial) => `    ${JSON.stringify(trial)}`);
  return `${head},\n  "trials": [\n${lines.join(",\n")}\n  ]\n}\n`;
}
