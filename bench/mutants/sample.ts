import { existsSync, readdirSync, readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { join } from "node:path";
import { seededRandom } from "../../src/harness/statistics/random.js";
import { type Fault, faultsIn } from "./operators.js";

/** A fault in a file of `src`. */
export interface Mutant extends Fault {
  /** Of the source, from the root of the package: "src/pool/pool.ts". */
  readonly file: string;
  /** Of the source. */
  readonly line: number;
  /** What stands there when compiled, and what it becomes. */
  readonly was: string;
  readonly becomes: string;
}

/** As many faults as wanted of a folder and those below it, drawn by the seed from all that the operators can make there. */
export function sampleOf(dist: string, folder: string, count: number, seed: number): readonly Mutant[] {
  const all = readdirSync(join(dist, folder), { recursive: true, encoding: "utf8" })
    // What was compiled from a source that has moved since is left in dist.
    .filter((name) => name.endsWith(".js") && existsSync(join(dist, "..", folder, name.replace(/\.js$/, ".ts"))))
    .sort()
    .flatMap((name) => mutantsOf(dist, join(folder, name)));
  const random = seededRandom(seed);
  const drawn: Mutant[] = [];
  while (drawn.length < count && all.length > 0) drawn.push(...all.splice(Math.floor(random() * all.length), 1));
  return drawn;
}

function mutantsOf(dist: string, name: string): readonly Mutant[] {
  const path = join(dist, name);
  const source = readFileSync(path, "utf8");
  const map = new SourceMap(JSON.parse(readFileSync(`${path}.map`, "utf8")));
  return faultsIn(source).map((fault) => {
    const before = source.slice(0, fault.start).split("\n");
    const entry = map.findEntry(before.length - 1, before.at(-1)!.length);
    return {
      ...fault,
      file: name.replace(/\.js$/, ".ts"),
      line: "originalLine" in entry ? entry.originalLine + 1 : 0,
      was: source.slice(fault.start, fault.end),
      becomes: fault.text,
    };
  });
}
