import { spawnSync } from "node:child_process";
import { usageError } from "../../shared/errors.js";
import { type CpuAllowance, cpuAllowance, cpuList } from "../../shared/process-limits.js";
import type { Pinning } from "./result.js";

/** What this machine lets us pin to. */
export interface PinningFacts extends Pick<CpuAllowance, "cpus"> {
  readonly hasTaskset: boolean;
  /** As CpuAllowance has it; absent: no limit. */
  readonly quota?: number | null;
}

/** Handlers that burn CPU: a core of its own for the generator would be one that the pool's workers lack. */
const CPU_BOUND = /^\/(cpu|mixed)(\?|$)/;

/** What decides how much CPU a request needs. */
export interface Workload {
  readonly path: string;
  /** The user's own handlers: what they cost is not known. */
  readonly handlers: string | null;
}

/**
 * Which CPUs server and generator get for `--pin auto`, `none` or `SERVER:GENERATOR`.
 * Throws a usage error that names the flag and the CPUs there are.
 */
export function resolvePinning(
  choice: string,
  { path, handlers }: Workload,
  { cpus: allowed, hasTaskset }: PinningFacts,
): Pinning {
  if (choice === "none") return unpinned("Nothing is pinned, as asked for (--pin none).");
  if (choice !== "auto") return explicit(choice, { cpus: allowed, hasTaskset });
  if (!hasTaskset) return unpinned("Nothing is pinned: taskset is not installed here.");
  if (allowed.length < 2) return unpinned("Nothing is pinned: there is only one CPU.");
  if (CPU_BOUND.test(path)) {
    return unpinned("Nothing is pinned: the handler burns CPU, and the pool may use whatever the generator leaves.");
  }
  if (handlers !== null) {
    return unpinned(
      "Nothing is pinned: what a handler of your own costs is not known, and the pool may use whatever the generator leaves.",
    );
  }
  // The generator is one thread and needs one CPU to itself; the server has the others, however many of them its core can use.
  const generator = String(allowed.at(-1));
  const server = allowed.slice(0, -1).join(",");
  return {
    server,
    generator,
    reason: `The handler is cheap, so the generator has CPU ${generator} to itself and the server has ${cpuWords(server)}.`,
  };
}

/**
 * Where a server with so many CPUs runs, by affinity, and its generator: on a CPU of its own where there is one more, else on all of the
 * server's. Throws a usage error that names the flag and the CPUs there are.
 */
export function pinningOf(count: number, { cpus: allowed, hasTaskset }: PinningFacts): Pinning {
  if (count > allowed.length) {
    throw usageError(
      `--server-cpus ${count} is more than there are: this process may use ${allowed.length} (CPU ${allowed.join(",")})`,
    );
  }
  if (!hasTaskset) {
    throw usageError(`--server-cpus ${count} needs taskset (Debian: util-linux), which is not installed here`);
  }
  const server = allowed.slice(0, count).join(",");
  if (count === allowed.length) {
    return {
      server,
      generator: server,
      reason: `The server has ${cpuWords(server)}, all there are, and the load generator shares them.`,
    };
  }
  const generator = String(allowed.at(-1));
  return {
    server,
    generator,
    reason: `The server has ${cpuWords(server)} and the load generator CPU ${generator} to itself.`,
  };
}

/** Whether server and generator run on the same CPUs, or may. */
export function sharesCpus({ server, generator }: Pinning): boolean {
  if (server === null || generator === null) return true;
  const own = cpuList(server);
  return [...cpuList(generator)].some((cpu) => own.has(cpu));
}

/** A handler that burns CPU can use all CPUs of its server; otherwise the main thread keeps one of several. */
export function workersFor(count: number, { path, handlers }: Workload): number {
  return CPU_BOUND.test(path) || handlers !== null ? count : Math.max(1, count - 1);
}

function unpinned(reason: string): Pinning {
  return { server: null, generator: null, reason };
}

function explicit(choice: string, { cpus: allowed, hasTaskset }: PinningFacts): Pinning {
  const match = /^(\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*):(\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*)$/.exec(choice);
  const there = `this process may use CPU ${allowed.join(",")}`;
  if (match === null)
    throw usageError(`--pin must be auto, none or SERVER:GENERATOR like 0:1, not "${choice}"; ${there}`);
  if (!hasTaskset) throw usageError(`--pin ${choice} needs taskset (Debian: util-linux); without it use --pin none`);
  const [, server, generator] = match as unknown as readonly [string, string, string];
  for (const list of [server, generator]) {
    const wanted = cpuList(list);
    if (wanted.size === 0 || [...wanted].some((cpu) => !allowed.includes(cpu))) {
      throw usageError(`--pin ${choice}: "${list}" names a CPU that is not there; ${there}`);
    }
  }
  return {
    server,
    generator,
    reason: `As asked for (--pin ${choice}), the server has ${cpuWords(server)} and the generator ${cpuWords(generator)}.`,
  };
}

function cpuWords(list: string): string {
  return `CPU${/[,-]/.test(list) ? "s" : ""} ${list}`;
}

/** Looks at this machine. */
export function pinningFacts(): PinningFacts {
  const hasTaskset = spawnSync("taskset", ["--version"], { stdio: "ignore" }).status === 0;
  return { ...cpuAllowance(), hasTaskset };
}
