import type { GeneratorResult } from "../drivers/result.js";
import { commandLine, startChild } from "./child.js";

/** What one run of the generator is asked for. */
export interface GeneratorRequest {
  readonly url: string;
  /** Length of the window: requests, or seconds; one of them is null. */
  readonly requests: number | null;
  readonly seconds: number | null;
  /** As --warmup takes it: requests, or seconds like "2s". */
  readonly warmup: string;
  readonly concurrency: number;
  readonly keepAlive: boolean;
  /** Requests per second of an open loop; null: a closed loop. */
  readonly rate: number | null;
  /** Latencies also by the first byte of the body. */
  readonly byFirstByte: boolean;
  readonly threads: number;
  /** Another load generator; null: our own. */
  readonly driver: string | null;
}

/** A generator that has warmed itself and the server up, and waits. */
export interface WarmGenerator {
  /** Runs the measured window. Throws an Error with what the generator wrote when it gives no result. */
  measure(): Promise<GeneratorResult>;
  /** Ends it, whatever it does. */
  stop(): Promise<void>;
}

/**
 * Starts the generator as a process of its own and waits until its warm-up is over. One process for both, so that the window
 * does not measure how the generator's own code is being compiled. Throws an Error with what it wrote when it ends before.
 */
export async function warmUpGenerator(
  request: GeneratorRequest,
  cpus: string | null,
  signal: AbortSignal,
): Promise<WarmGenerator> {
  const { url, driver } = request;
  // A tool that is under way is for `load` to end.
  const killSignal = driver === null ? "SIGKILL" : "SIGTERM";
  const script = [commandLine, "load", "--json", "--hold", ...flagsOf(request), url];
  const child = startChild(script, cpus, signal, killSignal);
  let output = "";
  await new Promise<void>((resolve, reject) => {
    child.process.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
      if (output.startsWith(WARM)) resolve();
    });
    child.ended.then((how) => reject(new Error(`in its warm-up the generator ${how}`)));
  });
  return {
    async measure() {
      child.process.stdin?.end("go\n");
      const how = await child.ended;
      try {
        return JSON.parse(output.slice(WARM.length)) as GeneratorResult;
      } catch {
        throw new Error(`without a result the generator ${how}`);
      }
    },
    async stop() {
      child.process.kill(killSignal);
      await child.ended;
    },
  };
}

const WARM = "warm\n";

function flagsOf({ requests, seconds, rate, driver, ...request }: GeneratorRequest): readonly string[] {
  return [
    ...(requests === null ? [] : [`--requests=${requests}`]),
    ...(seconds === null ? [] : [`--duration=${seconds}`]),
    ...(rate === null ? [] : [`--rate=${rate}`]),
    ...(driver === null ? [] : [`--driver=${driver}`]),
    `--warmup=${request.warmup}`,
    `--concurrency=${request.concurrency}`,
    `--threads=${request.threads}`,
    `--keep-alive=${request.keepAlive}`,
    `--by-first-byte=${request.byFirstByte}`,
  ];
}
