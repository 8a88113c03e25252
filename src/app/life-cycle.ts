import { failureText } from "./failure-text.js";

/** What `init` is told of the thread it runs in. */
export interface ThreadFacts {
  /** 0: the main thread; 1, 2, …: workers. */
  readonly thread: number;
  /** The core: "reactor", "pool". */
  readonly mode: string;
}

/** One that has a life in a thread: a user's module, or a plug-in. */
export interface Living {
  /** For messages: "--plugin auth.js". */
  readonly name: string;
  readonly file: string;
  readonly init: ((facts: ThreadFacts) => unknown) | null;
  readonly close: (() => unknown) | null;
}

/** Runs its `init` and waits for it. Throws an Error with one line that names it. */
export async function begin({ name, file, init }: Living, facts: ThreadFacts, timeoutMs: number): Promise<void> {
  if (init === null) return;
  try {
    await inTime(Promise.resolve(init(facts)), timeoutMs, `it did not end within ${timeoutMs / 1000} s`);
  } catch (error) {
    throw new Error(`${name}: its init failed: ${failureText(error, file)}`);
  }
}

/** Runs what they have of `close`, the last that began first, all of them within `timeoutMs`; a failure is reported and stops no other. */
export async function closeAll(
  living: readonly Living[],
  timeoutMs: number,
  onFailed: (what: string, error: unknown) => void,
): Promise<void> {
  const latestMs = performance.now() + timeoutMs;
  for (const { name, close } of living.toReversed()) {
    if (close === null) continue;
    try {
      const leftMs = Math.max(0, latestMs - performance.now());
      await inTime(Promise.resolve(close()), leftMs, `it did not end within ${timeoutMs / 1000} s`);
    } catch (error) {
      onFailed(`${name}: its close failed`, error);
    }
  }
}

/** A property that is a function, or none. Throws an Error that names it for anything else. */
export function hook<T>(name: string, property: string, value: unknown): T | null {
  if (value === undefined || value === null) return null;
  if (typeof value === "function") return value as T;
  throw new Error(`${name}: its "${property}" is not a function`);
}

/** The timer also keeps this thread alive: without it, Node ends one in which nothing else is left to wait for. */
export async function inTime<T>(promise: Promise<T>, timeoutMs: number, message: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(message)), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
