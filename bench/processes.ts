import { execFile, spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { listeningIn } from "../src/harness/listening-line.js";
import { cpuList } from "../src/shared/process-limits.js";

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

/** CPU time, seconds, as the kernel accounts for it: in steps of 10 ms. */
export interface CpuTimes {
  readonly user: number;
  readonly system: number;
}

/** What a command printed, and the CPU time it took from its start to its end; null outside of Linux. */
export interface Accounted {
  readonly stdout: string;
  readonly cpu: CpuTimes | null;
}

/** As `output`, with the command's CPU time: a shell waits for it, and then reads what it has waited for. */
export async function accountedOutput(cpu: number | null, command: readonly string[]): Promise<Accounted> {
  if (process.platform !== "linux") return { stdout: await output(cpu, command), cpu: null };
  const script = '"$@"; code=$?; read -r stat < /proc/$$/stat; echo "$stat" >&2; exit $code';
  const [program, args] = pinned(cpu, ["sh", "-c", script, "sh", ...command]);
  const { stdout, stderr } = await promisify(execFile)(program, args, { maxBuffer: 64 * 2 ** 20 });
  const fields = statFields(stderr.trimEnd().split("\n").at(-1) ?? "");
  return { stdout, cpu: { user: fields[CHILDREN_USER]! / HZ, system: fields[CHILDREN_SYSTEM]! / HZ } };
}

/** CPU time of a running process so far; null outside of Linux. */
export function cpuTimesOf(pid: number): CpuTimes | null {
  if (process.platform !== "linux") return null;
  const fields = statFields(readFileSync(`/proc/${pid}/stat`, "utf8"));
  return { user: fields[USER]! / HZ, system: fields[SYSTEM]! / HZ };
}

/** CPU time that all processes of the machine have spent in user mode so far, seconds; null outside of Linux. */
export function machineUserSeconds(): number | null {
  if (process.platform !== "linux") return null;
  const [, user, nice] = /^cpu +(\d+) (\d+)/.exec(readFileSync("/proc/stat", "utf8")) ?? [];
  return (Number(user) + Number(nice)) / HZ;
}

/** USER_HZ, which Linux has for every program, whatever its own clock ticks at. */
const HZ = 100;
/** Places in proc_pid_stat(5), less the three fields that end with the name. */
const [USER, SYSTEM, CHILDREN_USER, CHILDREN_SYSTEM] = [14 - 3, 15 - 3, 16 - 3, 17 - 3] as const;

function statFields(line: string): readonly number[] {
  return line
    .slice(line.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
}

/** The command with as many open files as it may have, up to `files`. */
export function withOpenFiles(files: number, command: readonly string[]): readonly string[] {
  return ["sh", "-c", `ulimit -n ${files} 2>/dev/null; exec "$@"`, "sh", ...command];
}

/** Starts a server that prints the line of `loopool serve`, hands its port and process id to `use`, and ends it whatever happens. */
export async function withServer<T>(
  cpu: number | null,
  command: readonly string[],
  use: (port: number, pid: number) => Promise<T>,
): Promise<T> {
  const [program, args] = pinned(cpu, command);
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  try {
    const port = await new Promise<number>((resolve, reject) => {
      let said = "";
      child.stdout.on("data", (chunk) => {
        said += chunk;
        const line = listeningIn(said);
        if (line !== null) resolve(Number(new URL(line.url).port));
      });
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(`${command.join(" ")} ended with ${code} before it listened`)));
    });
    return await use(port, child.pid!);
  } finally {
    child.kill("SIGTERM");
    await exited;
  }
}
