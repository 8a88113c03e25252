/** The part of V8's .cpuprofile that is read here (Chrome DevTools Protocol, Profiler.Profile). Times in µs. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Time in one function itself, what it called left out. */
export interface SelfTime {
  /** Name and place, as "claim src/shared/memory/claim-ring.js:103". */
  readonly what: string;
  /** Of the whole profile, 0 to 1. */
  readonly share: number;
}

/** The functions that a thread spent most of its time in, largest first. Waiting counts: an idle thread is in "(idle)". */
export function topSelfTimes({ nodes, samples, timeDeltas }: CpuProfile, count: number): readonly SelfTime[] {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const micros = new Map<string, number>();
  let totalMicros = 0;
  samples.forEach((id, i) => {
    const name = names.get(id) ?? "(unknown)";
    const delta = timeDeltas[i] ?? 0;
    micros.set(name, (micros.get(name) ?? 0) + delta);
    totalMicros += delta;
  });
  return [...micros]
    .map(([what, time]) => ({ what, share: totalMicros > 0 ? time / totalMicros : 0 }))
    .sort((a, b) => b.share - a.share)
    .slice(0, count);
}

function nameOf({ functionName, url, lineNumber }: CpuProfile["nodes"][number]["callFrame"]): string {
  const name = functionName === "" ? "(anonymous)" : functionName;
  if (url === "") return name;
  const place = url
    .replace(/^file:\/\//, "")
    .split("/")
    .slice(-3)
    .join("/");
  return `${name} ${place}:${lineNumber + 1}`;
}
