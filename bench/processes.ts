import { execFile, spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { cpuList } from "../src/statistics/cpu-list.js";

/** CPU for the server and CPU for the generator, where there are two and `taskset`; null leaves both to the scheduler. */
export interface Cpus {
  readonly server: number | null;
  readonly generator: number | null;
}

/** The first two CPUs this process may use. */
export function twoCpus(): Cpus {
  const none = { server: null, generator: null };
  if (process.platform !== "linux" || !onPath("taskset")) return none;
  const allowed = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "";
  const [server, generator] = cpuList(allowed);
  return server === undefined || generator === undefined ? none : { server, generator };
}

export function onPath(program: string): boolean {
  return spawnSync("which", [program], { stdio: "ignore" }).status === 0;
}

function pinned(cpu: number | null, command: readonly string[]): readonly [string, readonly string[]] {
  const [program = "", ...args] = cpu === null ? command : ["taskset", "-c", String(cpu), ...command];
  return [program, args];
}

/** Runs a command to its end and returns its standard output; throws where it fails. */
export async function output(cpu: number | null, command: readonly string[]): Promise<string> {
  const [program, args] = pinned(cpu, command);
  const { stdout } = await promisify(execFile)(program, args, { maxBuffer: 64 * 2 ** 20 });
  return stdout;
}

/** Starts a server that prints "listening on …PORT", hands its port to `use`, and ends it whatever happens. */
export async function withServer<T>(
  cpu: number | null,
  command: readonly string[],
  use: (port: number) => Promise<T>,
): Promise<T> {
  const [program, args] = pinned(cpu, command);
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  try {
    const port = await new Promise<number>((resolve, reject) => {
      let said = "";
      child.stdout.on("data", (chunk) => {
        said += chunk;
        const found = /listening on (?:\S+:)?(\d+)/.exec(said)?.[1];
        if (found !== undefined) resolve(Number(found));
      });
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(`${command.join(" ")} ended with ${code} before it listened`)));
    });
    return await use(port);
  } finally {
    child.kill("SIGTERM");
    await exited;
  }
}
