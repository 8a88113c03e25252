/** The CPUs in taskset's list form, e.g. "0,2-3". */
export function cpuList(list: string): ReadonlySet<number> {
  const cpus = new Set<number>();
  for (const part of list.split(",")) {
    const [first = "", last = first] = part.split("-");
    for (let cpu = Number(first); cpu <= Number(last); cpu++) cpus.add(cpu);
  }
  return cpus;
}
