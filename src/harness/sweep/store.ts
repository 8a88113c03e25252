import { mkdir, open, rename } from "node:fs/promises";
import { join } from "node:path";
import { LoopoolError, messageOf } from "../../shared/errors.js";

/** What is stored of a measurement that goes on trial by trial. */
export interface StoredResult {
  readonly name: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly trials: readonly object[];
}

/**
 * Makes the file of a new result, `<date>-<name>.json` in a folder that is made if need be, and returns its path. Where that
 * name is taken it is `-2`, `-3`, …, also when two sweeps begin at once. Throws a LoopoolError when it cannot be written.
 */
export async function createResultFile(folder: string, result: StoredResult): Promise<string> {
  const base = `${result.startedAt.slice(0, 10)}-${result.name}`;
  try {
    await mkdir(folder, { recursive: true });
    for (let n = 1; ; n++) {
      const file = join(folder, n === 1 ? `${base}.json` : `${base}-${n}.json`);
      try {
        await writeSynced(file, "wx", result);
        return file;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
    }
  } catch (error) {
    throw notWritten(`cannot write results to ${folder}: ${messageOf(error)}; name another folder with --out`);
  }
}

/**
 * Writes the whole result so that the file is, at every moment and after a loss of power too, the last state or this one.
 * Throws a LoopoolError when it cannot; the file is as it was then.
 */
export async function writeResult(file: string, result: StoredResult): Promise<void> {
  const temporary = `${file}.tmp`;
  try {
    await writeSynced(temporary, "w", result);
    await rename(temporary, file);
  } catch (error) {
    throw notWritten(`cannot write ${file}: ${messageOf(error)}; mend that and go on with --resume ${file}`);
  }
}

async function writeSynced(file: string, flags: "w" | "wx", result: StoredResult): Promise<void> {
  const handle = await open(file, flags);
  try {
    await handle.writeFile(encode(result));
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function notWritten(message: string): LoopoolError {
  return new LoopoolError("RESULT_NOT_WRITTEN", message);
}

/** Indented, but one line a trial: a trial's histograms are long. */
function encode({ trials, ...rest }: StoredResult): string {
  const head = JSON.stringify(rest, null, 2).slice(0, -2);
  const lines = trials.map((trial) => `    ${JSON.stringify(trial)}`);
  return `${head},\n  "trials": [\n${lines.join(",\n")}\n  ]\n}\n`;
}
