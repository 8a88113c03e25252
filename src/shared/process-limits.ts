import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";

/** What the kernel lets this process have: open files, CPUs. */

/** What this process may use of the machine's CPUs. Node's own count knows no quotas before Node 22. */
export interface CpuAllowance {
  /** CPUs it may run on (affinity), ascending. */
  readonly cpus: readonly number[];
  /** CPU time per time that its control group, or one above it, allows: 1.5 is one and a half CPUs; null: no limit. */
  readonly quota: number | null;
}

/** A file's text; null where it cannot be read. */
export type ReadText = (path: string) => string | null;

const readText: ReadText = (path) => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
};

/** Soft limit of open files of this process; null where it cannot be read (it can on Linux) or there is none. */
export function openFilesLimit(): number | null {
  const soft = /^Max open files\s+(\d+)/m.exec(readText("/proc/self/limits") ?? "")?.[1];
  return soft === undefined ? null : Number(soft);
}

/** The CPUs in taskset's list form, e.g. "0,2-3". */
export function cpuList(list: string): ReadonlySet<number> {
  const cpus = new Set<number>();
  for (const part of list.split(",")) {
    const [first = "", last = first] = part.split("-");
    for (let cpu = Number(first); cpu <= Number(last); cpu++) cpus.add(cpu);
  }
  return cpus;
}

/** Reads affinity and quota as Linux publishes them; elsewhere Node's count, and no quota. */
export function cpuAllowance(read: ReadText = readText): CpuAllowance {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(read("/proc/self/status") ?? "")?.[1];
  const cpus =
    list === undefined ? Array.from({ length: availableParallelism() }, (_, cpu) => cpu) : [...cpuList(list)];
  return { cpus: cpus.sort((a, b) => a - b), quota: cpuQuota(read) };
}

/**
 * Threads that can be busy all the time: as many as CPUs, and no more than the quota has whole ones, but 1 at least. One thread more would spend
 * the quota before the end of each period, and all would stop until the next.
 */
export function usableCpus({ cpus, quota }: CpuAllowance = cpuAllowance()): number {
  return Math.max(1, Math.min(cpus.length, quota === null ? cpus.length : Math.floor(quota)));
}

/** The least quota of the process's control group and those above it, as far as they can be seen from here. */
function cpuQuota(read: ReadText): number | null {
  const groups = read("/proc/self/cgroup") ?? "";
  const mounts = read("/proc/self/mountinfo") ?? "";
  const quotas = [
    ...foldersOf(groups, mounts, "v2").map((folder) => quotaV2(read(join(folder, "cpu.max")))),
    ...foldersOf(groups, mounts, "v1").map((folder) =>
      quotaV1(read(join(folder, "cpu.cfs_quota_us")), read(join(folder, "cpu.cfs_period_us"))),
    ),
  ].flatMap((quota) => quota ?? []);
  return quotas.length === 0 ? null : Math.min(...quotas);
}

/** "150000 100000", quota and period in µs, or "max 100000". */
function quotaV2(text: string | null): number | null {
  const [quota = "", period = ""] = (text ?? "").trim().split(" ");
  return positive(Number(quota) / Number(period));
}

/** −1: no limit. */
function quotaV1(quota: string | null, period: string | null): number | null {
  return positive(Number(quota ?? Number.NaN) / Number(period ?? Number.NaN));
}

function positive(quota: number): number | null {
  return Number.isFinite(quota) && quota > 0 ? quota : null;
}

/** The folders of the process's control group and of all above it, up to the mount of the hierarchy that has the controller "cpu". */
function foldersOf(groups: string, mounts: string, version: "v1" | "v2"): readonly string[] {
  const path = groups
    .split("\n")
    .map((line) => /^(\d+):([^:]*):(.*)$/.exec(line))
    .find((match) => {
      const controllers = match?.[2]?.split(",") ?? [];
      return controllers.includes(version === "v2" ? "" : "cpu");
    })?.[3];
  const mount = mountOf(mounts, version);
  if (path === undefined || mount === null) return [];
  // In a container the path may be that of the host, of which the mount shows the lower part; or the mount shows only what lies below it.
  const below = path === mount.root || path.startsWith(`${mount.root}/`) ? path.slice(mount.root.length) : path;
  const names = (mount.root === "/" ? path : below).split("/").filter((name) => name !== "" && name !== "..");
  return [...names.map((_, index) => join(mount.point, ...names.slice(0, index + 1))), mount.point];
}

/**
 * Where a hierarchy is mounted, and which of its folders that shows. A line of mountinfo: id, parent, device, root, point, options, optional
 * fields, "-", type, source, options of the file system (proc_pid_mountinfo(5)).
 */
function mountOf(mounts: string, version: "v1" | "v2"): { readonly root: string; readonly point: string } | null {
  for (const line of mounts.split("\n")) {
    const [before = "", after = ""] = line.split(" - ");
    const [, , , root, point] = before.split(" ");
    const [type, , options = ""] = after.split(" ");
    const isIt = version === "v2" ? type === "cgroup2" : type === "cgroup" && options.split(",").includes("cpu");
    if (isIt && root !== undefined && point !== undefined) return { root: unescaped(root), point: unescaped(point) };
  }
  return null;
}

/** Space, tab, newline and backslash are octal in mountinfo. */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
