import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { LoopoolError, messageOf } from "../shared/errors.js";
import { isOwnCheckout, outputFolders } from "./invocation.js";

/** The folder for results or for reports where none is named, as --help tells it. */
export const defaultFolders = outputFolders();

/**
 * `folder`, or the default one of that kind. The folder "loopool", in which both defaults of a project lie, is made with a .gitignore of its own, so that
 * nothing in it is committed by accident; one that exists is left as it is. Throws a LoopoolError when it cannot be made.
 */
export function outputFolder(kind: keyof typeof defaultFolders, folder: string | undefined): string {
  if (folder !== undefined) return folder;
  const found = outputFolders()[kind];
  if (!isOwnCheckout()) ignore(dirname(found));
  return found;
}

function ignore(folder: string): void {
  if (existsSync(folder)) return;
  try {
    mkdirSync(folder);
    writeFileSync(join(folder, ".gitignore"), "*\n");
  } catch (error) {
    throw new LoopoolError(
      "RESULT_NOT_WRITTEN",
      `cannot make the folder ${folder}: ${messageOf(error)}; name another folder with --out`,
    );
  }
}
