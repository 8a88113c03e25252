import { checkDriverOptions } from "../harness/drivers/check.js";
import { driverNamed, driverNames } from "../harness/drivers/drivers.js";
import type { GeneratorResult } from "../harness/drivers/result.js";
import type { LoadOptions } from "../harness/load/request/options.js";
import { startGenerator } from "../harness/load/start.js";
import { loadOptionsOf, threadsOf, warmUpOf } from "./load-options.js";
import { checkOpenFiles } from "./open-files.js";
import { oneOf } from "./values/options.js";

/** One run, checked, and what will send it. */
export interface PreparedLoad {
  readonly options: LoadOptions;
  /** null: none is wanted. */
  readonly warmUp: LoadOptions | null;
  readonly generator: Generator;
  /** What a user must know before the run, a sentence each. */
  readonly notes: readonly string[];
}

/** What the flags ask for. Throws a usage error that names the flag and what is allowed. Close the generator. */
export async function prepareLoad(flags: Readonly<Record<string, unknown>>): Promise<PreparedLoad> {
  const { options, notes } = await loadOptionsOf(flags);
  const warmUp = warmUpOf(options, flags["warmup"]);
  const threads = threadsOf(options, flags["threads"]);
  checkOpenFiles(options.concurrency, threads);
  return { options, warmUp, generator: generatorOf(flags["driver"], options, warmUp, threads), notes };
}

/** Warm-up, where one is wanted, and window; between them `hold`. */
export async function measure(
  { generator, options, warmUp }: PreparedLoad,
  signal: AbortSignal,
  hold = async (): Promise<void> => {},
): Promise<GeneratorResult> {
  await generator.warmUp(options, signal);
  if (warmUp !== null) await generator.run(warmUp, signal);
  await hold();
  return await generator.run(options, signal);
}

/** What sends the requests. */
interface Generator {
  /** Before anything is sent to the target. */
  warmUp(options: LoadOptions, signal: AbortSignal): Promise<unknown>;
  run(options: LoadOptions, signal: AbortSignal): Promise<GeneratorResult>;
  close(): Promise<void>;
}

/** Our own generator, or the tool that --driver names. Throws a usage error for what that tool cannot do. */
function generatorOf(name: unknown, options: LoadOptions, warmUp: LoadOptions | null, threads: number): Generator {
  if (name === undefined) return startGenerator(threads);
  const driver = driverNamed(oneOf("driver", name, driverNames));
  checkDriverOptions(driver, { ...options, threads }, warmUp);
  return {
    warmUp: () => driver.version(),
    run: (asked, signal) => driver.run({ ...asked, threads }, signal),
    close: async () => {},
  };
}
