import { closeSync, constants, openSync, writeSync } from "node:fs";
import { LoopoolError, messageOf } from "../shared/errors.js";

/** Appending, so that several may write and a file that was truncated goes on at its start; a pipe that is full must not hold the thread. */
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;
/** Addresses of clients are not for everybody. */
const MODE = 0o640;
const STANDARD_OUTPUT = 1;

const remedies: Readonly<Record<string, string>> = {
  ENOENT: "its folder does not exist: create it",
  ENOTDIR: "a part of its path is no folder: correct it",
  EACCES: "there is no permission to write there: grant it",
  EPERM: "there is no permission to write there: grant it",
  EROFS: "that file system is read-only: remount it",
  EISDIR: "it is a folder: name a file in it",
  ENXIO: "it is a pipe that nobody reads: start its reader first",
};

/** Opens the log, or takes standard output where `file` is null. Throws a LoopoolError that names --log and the remedy. */
export function openLogFile(file: string | null): number {
  if (file === null) {
    // Node makes a pipe there non-blocking when it first looks at it.
    process.stdout.writable;
    return STANDARD_OUTPUT;
  }
  try {
    return openSync(file, FLAGS, MODE);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    const why = remedies[code] ?? `${messageOf(error)}: mend that`;
    throw new LoopoolError("LOG_UNWRITABLE", `--log ${file} cannot be opened: ${why}, or choose another file`, 1, {
      cause: error,
    });
  }
}

/** How the log is written, for tests to stand in for a disk. */
export interface LogFile {
  /** Bytes of `bytes` from `from` to `to` that were written, fewer where not all could be. Throws what the system says. */
  write(bytes: Uint8Array, from: number, to: number): number;
  /** Opens the file by its name again, and only then closes it as it was. Throws a LoopoolError, and the file stays as it was. */
  reopen(): void;
  close(): void;
}

/** The log that `openLogFile` opened; whoever has this owns the descriptor. */
export function logFile(file: string | null, opened: number): LogFile {
  let fd = opened;
  const close = (): void => {
    if (file !== null) closeSync(fd);
  };
  return {
    write: (bytes, from, to) => writeSync(fd, bytes, from, to - from),
    reopen() {
      if (file === null) return;
      const next = openLogFile(file);
      close();
      fd = next;
    },
    close,
  };
}
