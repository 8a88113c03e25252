import { readFileSync } from "node:fs";

/** CPU time of a process, all its threads. */
export interface CpuUse {
  readonly userMicros: number;
  readonly systemMicros: number;
}

interface Sample extends CpuUse {
  readonly atMs: number;
}

const SAMPLE_MS = 50;
/** /proc counts in hundredths of a second (USER_HZ). */
const MICROS_PER_TICK = 10_000;

/** Fields 14 and 15 of /proc/PID/stat (proc(5)); two further are those of its children that have ended. */
function cpuOf(pid: number | "self", ofItsChildren = false): CpuUse | null {
  try {
    // "pid (name) state …": the name may hold spaces and parentheses.
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(")").at(-1)!.trim().split(" ");
    const [user, system] = fields.slice(ofItsChildren ? 13 : 11).map(Number);
    return { userMicros: user! * MICROS_PER_TICK, systemMicros: system! * MICROS_PER_TICK };
  } catch {
    return null;
  }
}

/**
 * The CPU time of a child over the end of its life, to 10 ms. Node does not tell what a child has used, and /proc/PID is gone once it has
 * ended: so it is looked at every 50 ms, and its whole use is what the children of this process that have ended have used more after it
 * than before. No other child may end meanwhile. The time it took to start is left out by looking only at the last seconds.
 */
export class CpuTime {
  readonly #samples: Sample[];
  readonly #timer: NodeJS.Timeout;
  readonly #childrenBefore: CpuUse;

  private constructor(pid: number, childrenBefore: CpuUse) {
    this.#childrenBefore = childrenBefore;
    this.#samples = [{ atMs: performance.now(), userMicros: 0, systemMicros: 0 }];
    this.#timer = setInterval(() => {
      const use = cpuOf(pid);
      if (use !== null) this.#samples.push({ atMs: performance.now(), ...use });
    }, SAMPLE_MS).unref();
  }

  /** Of a child that has just been started; null where there is no /proc. */
  static ofChild(pid: number): CpuTime | null {
    const before = cpuOf("self", true);
    return before === null ? null : new CpuTime(pid, before);
  }

  /** To be called when the child has ended. */
  ended(): void {
    this.stop();
    const after = cpuOf("self", true);
    if (after === null) return;
    const { userMicros, systemMicros } = this.#childrenBefore;
    this.#samples.push({
      atMs: performance.now(),
      userMicros: after.userMicros - userMicros,
      systemMicros: after.systemMicros - systemMicros,
    });
  }

  /** No more looks. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /** What it used in the last `seconds` before its end; between two looks it is taken to be even. */
  ofLast(seconds: number): CpuUse {
    const last = this.#samples.at(-1)!;
    const startMs = last.atMs - seconds * 1000;
    const index = this.#samples.findIndex(({ atMs }) => atMs > startMs);
    const after = this.#samples[index] ?? last;
    const before = this.#samples[Math.max(0, index - 1)]!;
    const span = after.atMs - before.atMs;
    const share = span > 0 ? Math.max(0, startMs - before.atMs) / span : 0;
    const since = (key: "userMicros" | "systemMicros"): number =>
      Math.max(0, Math.round(last[key] - before[key] - share * (after[key] - before[key])));
    return { userMicros: since("userMicros"), systemMicros: since("systemMicros") };
  }
}
