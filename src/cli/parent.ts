import { readFileSync } from "node:fs";
import { askToEnd } from "./signals.js";

const LOOK_INTERVAL_MS = 250;

/**
 * Ends this process, as a SIGTERM would, when whoever started it is gone and cannot say so:
 *
 * - A parent with a channel, as a sweep is, was killed.
 * - npm started a shell, and the shell us. npm passes SIGTERM and SIGINT on to the shell alone. One that has not replaced itself with our
 *   process (dash does not, without `exec`) ends, and we would go on without a parent: `npx loopool serve` cannot say `exec`. SIGHUP and
 *   SIGKILL npm does not pass on at all.
 *
 * Not for what was started in another way: whoever leaves a server behind in the background by nohup or setsid means it.
 */
export function endWithParent(): void {
  if (process.send !== undefined) {
    process.on("disconnect", askToEnd);
    process.channel?.unref();
    // It was killed while our modules were loaded.
    if (!process.connected) askToEnd();
  } else if (process.env["npm_lifecycle_event"] !== undefined && process.platform !== "win32") {
    const begun = ancestors();
    const timer = setInterval(() => {
      const now = ancestors();
      if (now.length === begun.length && now.every((pid, i) => pid === begun[i])) return;
      clearInterval(timer);
      askToEnd();
    }, LOOK_INTERVAL_MS).unref();
  }
}

/** This process's parent and, where that is a shell, the shell's, up to npm. Outside of Linux the parent alone. */
function ancestors(): readonly number[] {
  const pids = [process.ppid];
  for (let parent = shellParent(process.ppid); parent !== null; parent = shellParent(parent)) pids.push(parent);
  return pids;
}

const SHELLS = new Set(["sh", "dash", "bash", "ash", "busybox", "ksh", "zsh"]);

/** Process id of a shell's parent; null for what is no shell, has ended, or cannot be read. */
function shellParent(pid: number): number | null {
  if (process.platform !== "linux") return null;
  try {
    // "pid (name) state ppid …" (proc_pid_stat(5)): the name may hold spaces and parentheses.
    const [, name = "", ppid] = /^\d+ \((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, "latin1")) ?? [];
    return SHELLS.has(name) ? Number(ppid) : null;
  } catch {
    return null;
  }
}
