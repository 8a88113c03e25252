import type { Generator } from "./run/generator.js";
import { run } from "./run/run.js";
import { warmUpGenerator } from "./run/warm-up.js";
import { GeneratorThreads } from "./threads/threads.js";

const thisThread: Generator = { warmUp: warmUpGenerator, run, close: async () => {} };

/** A generator of `threads` threads; a single one is the caller's own. */
export function startGenerator(threads: number): Generator {
  return threads === 1 ? thisThread : new GeneratorThreads(threads);
}
