import type { RunResult } from "../load/run-result.js";
import { commandLine, startChild } from "./child.js";

/** What one run of the generator is asked for. */
export interface GeneratorRequest {
  readonly url: string;
  readonly requests: number;
  readonly warmupRequests: number;
  readonly concurrency: number;
  readonly keepAlive: boolean;
  /** Requests per second of an open loop; null: a closed loop. */
  readonly rate: number | null;
  /** Latencies also by the first byte of the body. */
  readonly byFirstByte: boolean;
}

/** A generator that has warmed itself and the server up, and waits. */
export interface WarmGenerator {
  /** Runs the measured window. Throws an Error with what the generator wrote when it gives no result. */
  measure(): Promise<RunResult>;
  /** Ends it, whatever it does. */
  stop(): Promise<void>;
}

/**
 * Starts the generator as a process of its own and waits until its warm-up is over. One process for both, so that the window
 * does not measure how the generator's own code is being compiled. Throws an Error with what it wrote when it ends before.
 */
export async function warmUpGenerator(
  { url, requests, warmupRequests, concurrency, keepAlive, rate, byFirstByte }: GeneratorRequest,
  cpus: string | null,
  signal: AbortSignal,
): Promise<WarmGenerator> {
  const counts = [`--requests=${requests}`, `--warmup=${warmupRequests}`, `--concurrency=${concurrency}`];
  const pace = rate === null ? [] : [`--rate=${rate}`];
  const kinds = [`--keep-alive=${keepAlive}`, `--by-first-byte=${byFirstByte}`];
  const child = startChild([commandLine, "load", "--json", "--hold", ...counts, ...pace, ...kinds, url], cpus, signal);
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
        return JSON.parse(output.slice(WARM.length)) as RunResult;
      } catch {
        throw new Error(`without a result the generator ${how}`);
      }
    },
    async stop() {
      child.process.kill("SIGKILL");
      await child.ended;
    },
  };
}

const WARM = "warm\n";
