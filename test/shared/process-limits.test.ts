import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type CpuAllowance, cpuAllowance, type ReadText, usableCpus } from "../../src/shared/process-limits.js";
import { requiring } from "../support/requires.js";

/** A /proc and a /sys of files that are there. */
const filesOf =
  (files: Readonly<Record<string, string>>): ReadText =>
  (path) =>
    files[path] ?? null;

const status = "Name:\tnode\nCpus_allowed:\tff\nCpus_allowed_list:\t0-2,5\n";
const unified = "31 23 0:28 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
const hybrid =
  "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n" +
  "34 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset\n";

const test = suite("CPUs of this process");

test("affinity is read as a list, ascending, and without a quota all of them are usable", () => {
  const found = cpuAllowance(filesOf({ "/proc/self/status": status }));
  assert.equal(found, { cpus: [0, 1, 2, 5], quota: null });
  assert.is(usableCpus(found), 4);
});

test("cgroup v2: the least quota of the group and those above it", () => {
  const files = {
    "/proc/self/status": status,
    "/proc/self/cgroup": "0::/kube/pod/one\n",
    "/proc/self/mountinfo": unified,
    "/sys/fs/cgroup/kube/pod/one/cpu.max": "max 100000\n",
    "/sys/fs/cgroup/kube/pod/cpu.max": "150000 100000\n",
    "/sys/fs/cgroup/kube/cpu.max": "300000 100000\n",
  };
  const found = cpuAllowance(filesOf(files));
  assert.is(found.quota, 1.5);
  assert.is(usableCpus(found), 1, "a second busy thread would spend it before the period ends");
  assert.is(cpuAllowance(filesOf({ ...files, "/sys/fs/cgroup/kube/pod/cpu.max": "max 100000\n" })).quota, 3);
});

test("cgroup v1: quota ÷ period of the hierarchy of the CPU, also where it is mounted with another", () => {
  const files = {
    "/proc/self/status": status,
    "/proc/self/cgroup": "5:cpuset:/other\n4:cpu,cpuacct:/docker/abc\n0::/\n",
    "/proc/self/mountinfo": hybrid,
    "/sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us": "200000\n",
    "/sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us": "100000\n",
  };
  assert.is(cpuAllowance(filesOf(files)).quota, 2);
  const none = { ...files, "/sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us": "-1\n" };
  assert.is(cpuAllowance(filesOf(none)).quota, null);
});

test("in a container the mount shows the group itself, whatever path the host knows it by", () => {
  const mounted = hybrid.replaceAll(" / /sys", " /docker/abc /sys");
  const files = {
    "/proc/self/status": status,
    "/proc/self/cgroup": "4:cpu,cpuacct:/docker/abc\n",
    "/proc/self/mountinfo": mounted,
    "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "50000",
    "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000",
  };
  const found = cpuAllowance(filesOf(files));
  assert.equal([found.quota, usableCpus(found)], [0.5, 1]);
  const spaced = unified.replace("/sys/fs/cgroup ", "/sys/fs/my\\040groups ");
  const other = {
    "/proc/self/cgroup": "0::/\n",
    "/proc/self/mountinfo": spaced,
    "/sys/fs/my groups/cpu.max": "200000 100000",
  };
  assert.is(cpuAllowance(filesOf(other)).quota, 2);
});

test("files that are missing, or say something else, are no quota", () => {
  assert.is(cpuAllowance(filesOf({})).quota, null);
  assert.ok(cpuAllowance(filesOf({})).cpus.length > 0, "Node's own count");
  for (const text of ["", "max", "0 100000", "-5 100000", "words 100000", "1 0"]) {
    const files = { "/proc/self/cgroup": "0::/\n", "/proc/self/mountinfo": unified, "/sys/fs/cgroup/cpu.max": text };
    assert.is(cpuAllowance(filesOf(files)).quota, null, text);
  }
  for (const text of ["::", "\n", "4:cpu"]) {
    assert.is(cpuAllowance(filesOf({ "/proc/self/cgroup": text, "/proc/self/mountinfo": "a b - c" })).quota, null);
  }
});

test("usable are no more than affinity and quota allow, and one at least", () => {
  const usable = (cpus: number, quota: number | null): number =>
    usableCpus({ cpus: Array.from({ length: cpus }, (_, cpu) => cpu), quota });
  assert.equal([usable(8, null), usable(8, 2.9), usable(2, 16), usable(8, 0.1)], [8, 2, 2, 1]);
});

/** Both hierarchies, each with how a group of it is given a quota of 1.5. */
const hierarchies = [
  { folder: "/sys/fs/cgroup/cpu", limit: (group: string) => writeFileSync(join(group, "cpu.cfs_quota_us"), "150000") },
  { folder: "/sys/fs/cgroup", limit: (group: string) => writeFileSync(join(group, "cpu.max"), "150000 100000") },
];

/** Makes a control group with that quota, for the time of a call; null where this process may not. */
function inLimitedGroup<T>(use: (group: string) => T): T | null {
  for (const { folder, limit } of hierarchies) {
    const group = join(folder, `loopool-test-${process.pid}`);
    try {
      mkdirSync(group);
    } catch {
      continue;
    }
    try {
      limit(group);
    } catch {
      rmdirSync(group);
      continue;
    }
    try {
      return use(group);
    } finally {
      rmdirSync(group);
    }
  }
  return null;
}

/** Runs a program in a group. */
function inGroup(group: string, program: string, ...args: string[]): SpawnSyncReturns<string> {
  const script = 'echo $$ > "$0"/cgroup.procs && exec "$@"';
  return spawnSync("sh", ["-c", script, group, program, ...args], { encoding: "utf8" });
}

const limited = requiring(test, {
  name: "a control group that may be made",
  remedy: "run as root where /sys/fs/cgroup is writable",
  isInstalled: process.platform === "linux" && inLimitedGroup((group) => inGroup(group, "true").status) === 0,
  inCi: false,
});

limited("a real control group with a quota of 1.5 is found by a process in it", () => {
  const module = fileURLToPath(new URL("../../src/shared/process-limits.js", import.meta.url));
  const script = `import(${JSON.stringify(module)}).then((m) => console.log(JSON.stringify(m.cpuAllowance())))`;
  const { stdout, stderr } = inLimitedGroup((group) => inGroup(group, process.execPath, "-e", script))!;
  assert.is((JSON.parse(stdout || "{}") as CpuAllowance).quota, 1.5, stderr);
});

test.run();
