import { readFileSync } from "node:fs";

/** Which process: a pid is given again after a while, together with the time of its start it is not. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from the boot to its start; null where there is no /proc. */
  readonly startTicks: number | null;
}

/** This process, from any of its threads. */
export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, startTicks: statOf(process.pid)?.startTicks ?? null };
}

/** Whether the very process still runs. One of another pid namespace (another container) is not seen. */
export function isRunning({ pid, startTicks }: ProcessIdentity): boolean {
  const found = statOf(pid);
  if (found !== null) {
    // A zombie serves nobody any more: its parent has not asked for its end yet.
    return !found.hasEnded && (startTicks === null || found.startTicks === startTicks);
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Fields 3 (state) and 22 (starttime) of proc_pid_stat(5): "pid (name) state …", where the name may hold spaces and parentheses. */
function statOf(pid: number): { readonly hasEnded: boolean; readonly startTicks: number } | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return null;
  }
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { hasEnded: fields[0] === "Z" || fields[0] === "X", startTicks: Number(fields[19]) };
}
