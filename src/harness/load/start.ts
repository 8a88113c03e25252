import type { Generator } from "./generator.js";
import { run } from "./run.js";
import { GeneratorThreads } from "./threads.js";
import { warmUpGenerator } from "./warm-up.js";

const thisThread: Generator = { warmUp: warmUpGenerator, run, close: async () => {} };

/** A generator of `threads` threads; a single one is the caller's own. */
export function startGenerator(threads: number): Generator {
  return threads === 1 ? thisThread : new GeneratorThreads(threads);
}
