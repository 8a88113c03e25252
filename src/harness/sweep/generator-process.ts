import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GeneratorResult } from "../drivers/result.js";
import type { StoredRequests } from "../load/request/stored.js";
import { commandLine, startChild } from "./child.js";
import type { SweepPlan } from "./result.js";

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
  /** Of an open loop. */
  readonly arrivals: "even" | "poisson";
  readonly rampSeconds: number;
  /** Decides random arrivals and the order of kinds. */
  readonly seed: number;
  /** What is sent; null: a GET of the URL. */
  readonly traffic: StoredRequests | null;
  readonly variableLength: boolean;
  /** With an https URL; null: Node's authorities. */
  readonly tls: SweepPlan["tls"] | null;
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
  const { url, driver, traffic } = request;
  // A tool that is under way is for `load` to end.
  const killSignal = driver === null ? "SIGKILL" : "SIGTERM";
  const folder = traffic === null ? null : await mkdtemp(join(tmpdir(), "loopool-requests-"));
  const file = folder === null ? null : join(folder, "requests.json");
  if (file !== null) await writeFile(file, JSON.stringify(traffic), { mode: 0o600 });
  const script = [commandLine, "load", "--json", "--hold", ...flagsOf(request, file), url];
  const child = startChild(script, cpus, signal, killSignal);
  let output = "";
  await new Promise<void>((resolve, reject) => {
    child.process.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
      if (output.startsWith(WARM)) resolve();
    });
    child.ended.then((how) => reject(new Error(`in its warm-up the generator ${how}`)));
  }).catch(async (error: unknown) => {
    if (folder !== null) await rm(folder, { recursive: true, force: true });
    throw error;
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
      if (folder !== null) await rm(folder, { recursive: true, force: true });
    },
  };
}

const WARM = "warm\n";

/** `file` holds what is sent; null: a GET of the URL. */
function flagsOf(
  { requests, seconds, rate, driver, ...request }: GeneratorRequest,
  file: string | null,
): readonly string[] {
  return [
    ...(rate === null ? [] : [`--arrivals=${request.arrivals}`, `--ramp=${request.rampSeconds}`]),
    ...(request.tls?.insecure === true ? ["--insecure"] : []),
    ...(request.tls?.ca ? [`--ca=${request.tls.ca}`] : []),
    ...(driver === null ? [`--seed=${request.seed}`] : []),
    ...(file === null ? [] : [`--requests-file=${file}`]),
    // What is said to be so need not be said: another generator could not be told.
    ...(request.variableLength ? ["--variable-length"] : file === null ? [] : ["--no-variable-length"]),
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
