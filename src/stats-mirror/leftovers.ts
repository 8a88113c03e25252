import { randomBytes } from "node:crypto";
import { lstatSync, readdirSync, type Stats, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { LoopoolError } from "../shared/errors.js";
import { MIRROR_NAME } from "./format.js";
import { isIdentity, type ProcessIdentity, stateOf } from "./process-identity.js";
import { type MirrorHolder, readHolder } from "./reader.js";

/** More names than this in one folder are somebody's game: the rest waits for another time. */
const MAX_NAMES = 1000;

/** `<mirror>.<pid>.<startTicks>.<pid namespace>.<random>.new`; what is not known is empty. */
const SCRATCH_NAME = /^loopool-[^.]{1,40}\.(\d{1,10})\.(\d{0,16})\.(\d{0,20})\.[0-9a-f]{16}\.new$/;

/** A mirror that has no name yet: nobody can know it before, and whoever finds it later can tell whether its process has ended. */
export function scratchPath(path: string, { pid, startTicks, pidNamespace = null }: ProcessIdentity): string {
  const namespace = pidNamespace?.replace(/\D/g, "") ?? "";
  return `${path}.${pid}.${startTicks ?? ""}.${namespace}.${randomBytes(8).toString("hex")}.new`;
}

/** Who has a mirror; null: no file, no mirror, or one that cannot be looked at. */
function holderOf(path: string): MirrorHolder | null {
  try {
    return readHolder(path);
  } catch (error) {
    if (error instanceof LoopoolError) return null;
    throw error;
  }
}

/** Ports whose servers, as far as can be told, still run, ascending. Never throws. */
export function livePorts(folder: string): readonly number[] {
  const ports = namesIn(folder).flatMap((name) => {
    const port = Number(MIRROR_NAME.exec(name)?.[1] ?? 0);
    if (port === 0) return [];
    const holder = holderOf(join(folder, name));
    return holder === null || stateOf(holder.process) === "ended" ? [] : [port];
  });
  return ports.sort((a, b) => a - b);
}

/**
 * Removes what servers that have ended have left in the folder of this mirror: regular files of this user, of a mirror's name and content,
 * whose very process is certainly gone. Anything else is left alone, and so is what the system does not let go. Never throws.
 */
export function removeLeftovers(path: string): void {
  const folder = dirname(path);
  for (const name of namesIn(folder)) {
    const other = join(folder, name);
    try {
      const found = MIRROR_NAME.test(name) ? holderOf(other) : scratchHolder(other, name);
      if (found === null || !isOwn(found.stat) || stateOf(found.process) !== "ended") continue;
      removeIfSame(other, found.stat);
    } catch {
      // It is gone already, or the system does not let it go.
    }
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    const names = readdirSync(folder).filter((name) => MIRROR_NAME.test(name) || SCRATCH_NAME.test(name));
    return names.slice(0, MAX_NAMES);
  } catch {
    return [];
  }
}

/** A scratch file may have been left at any length: its name alone says whose it was. */
function scratchHolder(path: string, name: string): MirrorHolder | null {
  const [, pid, startTicks, namespace] = SCRATCH_NAME.exec(name) ?? [];
  const process = {
    pid: Number(pid),
    startTicks: startTicks === "" ? null : Number(startTicks),
    pidNamespace: namespace === "" ? null : `pid:[${namespace}]`,
  };
  return isIdentity(process) ? { process, stat: lstatSync(path) } : null;
}

function isOwn(stat: Stats): boolean {
  return stat.isFile() && (process.geteuid === undefined || stat.uid === process.geteuid());
}

/** Removes a name, if it still stands for this file. Throws what the file system throws. */
export function removeIfSame(path: string, { dev, ino }: Stats): void {
  const now = lstatSync(path);
  if (now.dev === dev && now.ino === ino) unlinkSync(path);
}
