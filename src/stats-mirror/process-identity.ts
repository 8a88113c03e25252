import { readFileSync, readlinkSync } from "node:fs";

/** Which process: a pid is given again after a while, together with the time of its start it is not. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from the boot to its start; null where there is no /proc. */
  readonly startTicks: number | null;
  /**
   * In which its pid counts, as pid_namespaces(7) names it: "pid:[4026531836]". Containers may share the folder of the mirrors, but not their
   * pids. null where there is no /proc; a file of an older version has none.
   */
  readonly pidNamespace?: string | null;
}

/** unknown: it runs, or ran, in another pid namespace, of which nothing can be seen from here. */
export type ProcessState = "running" | "ended" | "unknown";

/** pid_t is signed and 32 bits wide. */
const MAX_PID = 2 ** 31 - 1;

/** Whether something read from a file is an identity: only then may it be looked up. */
export function isIdentity(value: unknown): value is ProcessIdentity {
  if (typeof value !== "object" || value === null) return false;
  const { pid, startTicks, pidNamespace } = value as { readonly [key in keyof ProcessIdentity]?: unknown };
  return (
    isWhole(pid, 1, MAX_PID) &&
    (startTicks === null || isWhole(startTicks, 0, Number.MAX_SAFE_INTEGER)) &&
    (pidNamespace === undefined ||
      pidNamespace === null ||
      (typeof pidNamespace === "string" && /^pid:\[\d{1,20}\]$/.test(pidNamespace)))
  );
}

function isWhole(value: unknown, min: number, max: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= min && value <= max;
}

/** This process, from any of its threads. */
export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, startTicks: statOf(process.pid)?.startTicks ?? null, pidNamespace: ownNamespace() };
}

/** What the very process does now, judged by pid, start and namespace. */
export function stateOf({ pid, startTicks, pidNamespace = null }: ProcessIdentity): ProcessState {
  const own = ownNamespace();
  if (pidNamespace !== null && own !== null && pidNamespace !== own) return "unknown";
  const found = statOf(pid);
  if (found !== null) {
    // A zombie serves nobody any more: its parent has not asked for its end yet.
    const isSame = !found.hasEnded && (startTicks === null || found.startTicks === startTicks);
    return isSame ? "running" : "ended";
  }
  try {
    process.kill(pid, 0);
    return "running";
  } catch (error) {
    // ESRCH alone says that there is none: of another user's process we learn nothing but that it is there.
    return (error as NodeJS.ErrnoException).code === "ESRCH" ? "ended" : "running";
  }
}

function ownNamespace(): string | null {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return null;
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
