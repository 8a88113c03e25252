import { readFileSync } from "node:fs";

/** Soft limit of open files of this process; null where it cannot be read (it can on Linux) or there is none. */
export function openFilesLimit(): number | null {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    return soft === undefined ? null : Number(soft);
  } catch {
    return null;
  }
}
